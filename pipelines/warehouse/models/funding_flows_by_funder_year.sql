-- Bénéficiaires nouveaux, reconduits et revenus d'un financeur, par exercice, et ce qu'ils reçoivent ; une convention est répartie sur ses années.
-- Par rapport aux années observées d'avant ; rien la première année observée. Un bénéficiaire payé en plusieurs monnaies ou étapes est dans chacune.

with source as (
    select
        organisation_id, funder_id, fiscal_year,
        case
            when previous_index is null then 'new'
            when previous_index = year_index - 1 then 'renewed'
            else 'returned'
        end as flow
    from funded_years
    where year_index > 1
),
amounts as (
    select organisation_id, funder_id, fiscal_year, currency, stage, amount from relation_amounts where level = 'funder'
),
final as (
    select
        source.funder_id,
        source.fiscal_year,
        source.flow,
        amounts.currency,
        amounts.stage,
        count(*)::integer as n_beneficiaries,
        sum(amounts.amount) as amount,
        count(*) filter (amounts.amount is null)::integer as n_without_amount
    from source
    join amounts using (organisation_id, funder_id, fiscal_year)
    group by source.funder_id, source.fiscal_year, source.flow, amounts.currency, amounts.stage
)
select * from final order by funder_id, fiscal_year, flow, currency, stage;
