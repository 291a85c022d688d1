-- Financeurs qui ont accordé au moins une subvention ; nombres de lignes, années et publication des refus d'après les seules années où une subvention est accordée.

with source as (
    select * from funding.funders
),
awarded as (
    select funder_id, min(fiscal_year) as first_year, max(fiscal_year) as last_year, sum(n_lines)::integer as n_lines
    from funding.funding_by_funder_year
    where n_awards > 0
    group by funder_id
),
publication as (
    select funder_id, published_in(sum(n_lines) filter (published), sum(n_lines), bool_or(published is false)) as refusals_published
    from refusal_publication
    group by funder_id
),
final as (
    select
        source.* replace (
            awarded.first_year as first_year, awarded.last_year as last_year, awarded.n_lines as n_lines,
            publication.refusals_published as refusals_published
        )
    from source
    join awarded using (funder_id)
    join publication using (funder_id)
)
select * from final order by funder_id;
