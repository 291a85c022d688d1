-- Ce qui est déjà conventionné pour l'année de la date de référence et les suivantes, et ce qui finit chaque année, par financeur.
-- Conventions pluriannuelles seulement, réparties sur leurs années ; un montant annoncé reste soumis au vote du budget et à la justification. secured_share compare au dernier exercice complet.

with agreements as (
    select * from continuity_agreements where end_year >= year(getvariable('as_of')::date)
),
parts as (
    select
        coalesce(agreement_id, application_id) as agreement_id, funder_id, organisation_id, currency, stage, fiscal_year,
        sum(amount) as amount,
        sum(amount) filter (spread = 'estimated') as amount_estimated,
        sum(amount) filter (year_certainty = 'firm') as amount_firm,
        sum(amount) filter (year_certainty = 'forecast') as amount_forecast
    from funding_years
    where spread <> 'annual'
    group by all
),
years as (
    select
        * exclude (start_year, amount, ends_next_year),
        unnest(range(greatest(start_year, year(getvariable('as_of')::date)), end_year + 1))::integer as fiscal_year
    from agreements
),
contracted as (
    select
        years.funder_id, years.fiscal_year, years.currency, years.stage,
        count(*) as n_agreements,
        count(*) filter (parts.amount is null) as n_without_amount,
        count(*) filter (years.end_year = years.fiscal_year) as n_ending,
        sum(parts.amount) as amount_contracted,
        coalesce(sum(parts.amount_estimated), 0) as amount_estimated,
        coalesce(sum(parts.amount_firm), 0) as amount_firm,
        coalesce(sum(parts.amount_forecast), 0) as amount_forecast,
        coalesce(sum(parts.amount) filter (years.end_year = years.fiscal_year), 0) as amount_ending
    from years
    left join parts
        on years.agreement_id = parts.agreement_id and years.funder_id = parts.funder_id
        and years.organisation_id = parts.organisation_id and years.currency is not distinct from parts.currency
        and years.stage = parts.stage and years.fiscal_year = parts.fiscal_year
    group by all
),
observed as (
    select funder_id, max(fiscal_year) as base_year
    from observed_years
    where is_complete
    group by funder_id
),
bases as (
    select observed.funder_id, observed.base_year, funding_years.currency, funding_years.stage, sum(amount) as base_amount
    from observed
    join funding_years on observed.funder_id = funding_years.funder_id and observed.base_year = funding_years.fiscal_year
    group by all
),
final as (
    select
        contracted.funder_id,
        contracted.fiscal_year,
        contracted.currency,
        contracted.stage,
        contracted.n_agreements::integer as n_agreements,
        contracted.n_without_amount::integer as n_without_amount,
        contracted.amount_contracted,
        contracted.amount_estimated,
        contracted.amount_firm,
        contracted.amount_forecast,
        contracted.n_ending::integer as n_ending,
        contracted.amount_ending,
        bases.base_year,
        bases.base_amount,
        if(bases.base_amount > 0, contracted.amount_contracted / bases.base_amount, null) as secured_share
    from contracted
    left join bases
        on contracted.funder_id = bases.funder_id and contracted.currency is not distinct from bases.currency
        and contracted.stage = bases.stage
)
select * from final order by funder_id, fiscal_year, currency, stage;
