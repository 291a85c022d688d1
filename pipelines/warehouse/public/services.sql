-- Services instructeurs qui ont accordé au moins une subvention, et services de l'annuaire ; nombres de lignes, années et publication des refus d'après les seules années où une subvention est accordée.

with source as (
    select * from funding.services
),
awarded as (
    select service_key, min(fiscal_year) as first_year, max(fiscal_year) as last_year, sum(n_lines)::integer as n_lines
    from funding.funding_by_service_year
    where n_awards > 0
    group by service_key
),
publication as (
    select service_key, published_in(sum(n_lines) filter (published), sum(n_lines), bool_or(published is false)) as refusals_published
    from refusal_publication
    group by service_key
),
final as (
    select
        source.* replace (
            awarded.first_year as first_year, awarded.last_year as last_year, coalesce(awarded.n_lines, 0)::integer as n_lines,
            coalesce(publication.refusals_published, 'unknown') as refusals_published
        )
    from source
    left join awarded using (service_key)
    left join publication using (service_key)
    where awarded.service_key is not null or source.is_declared
)
select * from final order by service_key;
