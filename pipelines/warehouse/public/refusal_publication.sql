-- Publication des refus par financeur, service et exercice où une subvention au moins est accordée : déclarée, observée ou inconnue. Les lignes comptées sont celles des subventions accordées.

with source as (
    select funder_id, service_key, fiscal_year, published, basis from funding.refusal_publication
),
awarded as (
    select service_key, fiscal_year, sum(n_lines)::integer as n_lines
    from funding.funding_by_service_year
    group by all
    having sum(n_awards) > 0
),
final as (
    select source.*, awarded.n_lines
    from source
    join awarded using (service_key, fiscal_year)
)
select * from final order by funder_id, service_key, fiscal_year;
