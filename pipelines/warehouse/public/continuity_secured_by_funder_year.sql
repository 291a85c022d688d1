-- Ce qui est déjà conventionné pour l'année de la date de référence et les suivantes, et ce qui finit chaque année, par financeur.
-- Conventions pluriannuelles seulement, réparties sur leurs années ; un montant annoncé reste soumis au vote du budget et à la justification. secured_share compare au dernier exercice observé. Montants des personnes morales ; aucun quand une convention lie une personne physique ou un organisme de nature inconnue.

with others as (
    select
        funder_id, currency, stage,
        unnest(range(greatest(start_year, year(getvariable('as_of')::date)), end_year + 1))::integer as fiscal_year
    from funding.continuity_agreements
    semi join other_awards using (organisation_id)
),
other_bases as (
    select funder_id, fiscal_year as base_year, currency, stage, sum(amount) as amount
    from funding.funding_years
    semi join other_awards using (organisation_id)
    group by all
),
source as (
    select mart.* replace (mart.base_amount - coalesce(other_bases.amount, 0) as base_amount)
    from funding.continuity_secured_by_funder_year as mart
    left join other_bases
        on mart.funder_id = other_bases.funder_id and mart.base_year = other_bases.base_year and mart.stage = other_bases.stage
        and mart.currency is not distinct from other_bases.currency
),
legal as (
    select *, false as has_others from source anti join others using (funder_id, fiscal_year, currency, stage)
    union all
    select *, true as has_others from source semi join others using (funder_id, fiscal_year, currency, stage)
),
final as (
    select * exclude (has_others) replace (
        if(has_others, null, amount_contracted) as amount_contracted,
        if(has_others, null, amount_estimated) as amount_estimated,
        if(has_others, null, amount_firm) as amount_firm,
        if(has_others, null, amount_forecast) as amount_forecast,
        if(has_others, null, amount_ending) as amount_ending,
        if(has_others or not base_amount > 0, null, amount_contracted / base_amount) as secured_share
    )
    from legal
)
select * from final order by funder_id, fiscal_year, currency, stage;
