-- Services instructeurs qui ont au moins une ligne comptée ; « service non précisé » quand le fichier n'en nomme pas.

with source as (
    select * from applications where is_counted
),
name_counts as (
    select service_key, service_name, count(*) as n from source group by all
),
names as (
    select service_key, arg_min(service_name, row(-n, service_name)) as name from name_counts group by service_key
),
totals as (
    select
        funder_id,
        service_key,
        min(fiscal_year) as first_year,
        max(fiscal_year) as last_year,
        count(*) as n_lines,
        count(distinct application_id) filter (is_award and is_grant) as n_awards
    from source
    group by all
),
publication as (
    select
        service_key,
        sum(n_lines) filter (published) / sum(n_lines) as published_share,
        bool_or(published is false) as has_declared_none
    from refusal_publication
    group by service_key
),
final as (
    select
        service_key,
        funders.slug || '-' || if(
            service_key = funder_id || '/-', 'service-non-precise', left(substr(service_key, length(funder_id) + 2), 80)
        ) as slug,
        funder_id,
        coalesce(names.name, 'service non précisé') as name,
        totals.first_year,
        totals.last_year,
        totals.n_lines::integer as n_lines,
        totals.n_awards::integer as n_awards,
        case
            when publication.published_share >= getvariable('min_published_share') then 'yes'
            when publication.published_share > 0 then 'partly'
            when publication.has_declared_none then 'no'
            else 'unknown'
        end as refusals_published
    from totals
    join funders using (funder_id)
    left join names using (service_key)
    left join publication using (service_key)
)
select * from final order by service_key;
