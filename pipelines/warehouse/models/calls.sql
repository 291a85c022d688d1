-- Appels à projets nommés par les fichiers.

with source as (
    select * from applications where is_counted and call_id is not null
),
final as (
    select
        funder_id,
        call_id,
        string_agg(distinct scheme, ', ' order by scheme) as schemes,
        min(fiscal_year) as first_year,
        max(fiscal_year) as last_year,
        count(*)::integer as n_lines,
        count(distinct application_id) filter (is_award and is_grant)::integer as n_awards
    from source
    group by all
)
select * from final order by funder_id, call_id;
