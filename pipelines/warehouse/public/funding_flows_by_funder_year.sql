-- Bénéficiaires nouveaux, reconduits et revenus d'un financeur, par exercice, et ce qu'ils reçoivent ; une convention est répartie sur ses années.
-- Par rapport aux années observées d'avant ; rien la première année observée. Un bénéficiaire payé en plusieurs monnaies ou étapes est dans chacune. Montants des personnes morales seulement.

with others as (
    select
        years.funder_id, years.fiscal_year, amounts.currency, amounts.stage, sum(amounts.amount) as amount,
        case
            when years.previous_index is null then 'new'
            when years.previous_index = years.year_index - 1 then 'renewed'
            else 'returned'
        end as flow
    from funding.funded_years as years
    semi join other_awards using (organisation_id)
    join funding.relation_amounts as amounts using (organisation_id, funder_id, fiscal_year)
    where amounts.level = 'funder'
    group by all
),
final as (
    select mart.* replace (mart.amount - coalesce(others.amount, 0) as amount)
    from funding.funding_flows_by_funder_year as mart
    left join others
        on mart.funder_id = others.funder_id and mart.fiscal_year = others.fiscal_year and mart.flow = others.flow
        and mart.stage = others.stage and mart.currency is not distinct from others.currency
)
select * from final order by funder_id, fiscal_year, flow, currency, stage;
