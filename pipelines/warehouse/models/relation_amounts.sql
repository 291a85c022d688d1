-- Montants reçus par un bénéficiaire d'un financeur, et d'un service suivi, chaque exercice observé ; une convention est répartie sur ses années. Réservé aux analystes.
-- amount_recurring laisse de côté les lignes d'investissement, qui ne se répètent pas. is_funded : montant net positif, ou montant non précisé.

with source as not materialized (
    select funder_id, service_key, organisation_id, fiscal_year, currency, stage, purpose, amount from funding_years
),
keyed as (
    select 'funder' as level, funder_id, funder_id as relation_key, * exclude (funder_id, service_key) from source
    union all
    select 'service' as level, funder_id, lineage_key as relation_key, source.* exclude (funder_id, service_key)
    from source
    join service_lineage using (service_key)
),
summed as (
    select
        level, funder_id, relation_key, organisation_id, fiscal_year, currency, stage,
        sum(amount) as amount,
        sum(amount) filter (purpose is distinct from 'investment') as amount_recurring,
        coalesce(sum(amount) > 0, false) or bool_or(amount is null) as is_funded
    from keyed
    group by all
),
final as (
    select summed.*, masks.year_index, masks.is_complete
    from summed
    join relation_masks as masks using (level, funder_id, relation_key, fiscal_year)
)
-- in no order: to sort six million rows takes a third of all this, and those who read them sort or group them
select * from final;
