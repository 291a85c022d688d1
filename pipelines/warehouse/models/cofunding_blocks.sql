-- Groupes de demandes comparées deux à deux : un demandeur et un exercice, ou un identifiant de cofinancement et un exercice.
-- Au-delà de 5 000 paires entre financeurs, seuls les titres identiques sont rapprochés (is_compared est faux). Réservé aux analystes.

with nodes as (
    select distinct node_id, organisation_id, fiscal_year, funder_id, cofunding_key from cofunding_candidates
),
by_funder as (
    select 'organisation' as block_kind, organisation_id as block, fiscal_year, funder_id, count(*) as n from nodes group by all
    union all
    select 'cofunding_id' as block_kind, cofunding_key as block, fiscal_year, funder_id, count(*) as n
    from nodes
    where cofunding_key is not null
    group by all
),
final as (
    select
        block_kind,
        block,
        fiscal_year,
        count(*)::integer as n_funders,
        sum(n)::integer as n_nodes,
        ((sum(n) ** 2 - sum(n ** 2)) / 2)::bigint as n_pairs,
        n_pairs <= 5000 as is_compared
    from by_funder
    group by block_kind, block, fiscal_year
    having count(*) > 1
)
select * from final order by block_kind, block, fiscal_year;
