-- Groupes de demandes comparées deux à deux : un demandeur et un exercice, ou un identifiant de cofinancement et un exercice.
-- Au-delà de 5 000 paires entre financeurs, seuls les titres identiques sont rapprochés (is_compared est faux). Réservé aux analystes.

with by_funder as (
    select block, funder, count(*) as n from cofunding_requests group by all
),
by_key as (
    select requests.cofunding_key, groups.fiscal_year, requests.funder, count(*) as n
    from cofunding_requests as requests
    join cofunding_groups as groups using (block)
    where requests.cofunding_key is not null
    group by all
),
sizes as (
    select block, count(*) as n_funders, sum(n) as n_nodes, sum(n ** 2) as n_squared from by_funder group by block having count(*) > 1
),
named as (
    select 'organisation' as block_kind, groups.organisation_id as block, groups.fiscal_year, sizes.n_funders, sizes.n_nodes, sizes.n_squared
    from sizes
    join cofunding_groups as groups using (block)
    union all
    select
        'cofunding_id' as block_kind, cofunding_key as block, fiscal_year,
        count(*) as n_funders, sum(n) as n_nodes, sum(n ** 2) as n_squared
    from by_key
    group by cofunding_key, fiscal_year
    having count(*) > 1
),
final as (
    select
        block_kind,
        block,
        fiscal_year,
        n_funders::integer as n_funders,
        n_nodes::integer as n_nodes,
        ((n_nodes ** 2 - n_squared) / 2)::bigint as n_pairs,
        n_pairs <= 5000 as is_compared
    from named
)
select * from final order by block_kind, block, fiscal_year;
