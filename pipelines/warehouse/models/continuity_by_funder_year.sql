-- Continuité par financeur et exercice : entrées, renouvellements, retours, pertes et taux de maintien.
-- Entrées, renouvellements et retours se comptent par rapport aux années observées d'avant, et restent vides la première ; pertes et maintiens seulement si l'année suivante est observée.

with source as (
    select * from funded_years
),
flows as (
    select
        funder_id, fiscal_year,
        count(*) as n_funded,
        count(*) filter (previous_index is null) as n_entries,
        count(*) filter (previous_index = year_index - 1) as n_renewals,
        count(*) filter (previous_index < year_index - 1) as n_returns,
        count(*) filter (next_year = fiscal_year + 1) as n_kept_next
    from source
    group by all
),
amounts as (
    select funder_id, fiscal_year, currency, stage, sum(amount) as amount, count(distinct application_id) as n
    from funding_years
    group by all
),
main_amounts as (
    select
        funder_id, fiscal_year,
        arg_min(amount, row(-n, currency, stage)) as amount,
        arg_min(currency, row(-n, currency, stage)) as currency,
        arg_min(stage, row(-n, currency, stage)) as stage,
        count(*) > 1 as has_other_amounts
    from amounts
    group by all
),
final as (
    select
        years.funder_id,
        years.fiscal_year,
        coalesce(flows.n_funded, 0)::integer as n_funded,
        if(years.year_index > 1, coalesce(flows.n_entries, 0), null)::integer as n_entries,
        if(years.year_index > 1, coalesce(flows.n_renewals, 0), null)::integer as n_renewals,
        if(years.year_index > 1, coalesce(flows.n_returns, 0), null)::integer as n_returns,
        if(years.is_next_observed, coalesce(flows.n_funded - flows.n_kept_next, 0), null)::integer as n_lost_next,
        if(years.is_next_observed, coalesce(flows.n_kept_next, 0), null)::integer as n_kept_next,
        if(years.is_next_observed, ratio(flows.n_kept_next, flows.n_funded), null) as retention_rate,
        years.is_complete,
        years.is_next_observed,
        years.is_previous_observed,
        main_amounts.amount,
        main_amounts.currency,
        main_amounts.stage,
        coalesce(main_amounts.has_other_amounts, false) as has_other_amounts
    from observed_years as years
    left join flows using (funder_id, fiscal_year)
    left join main_amounts using (funder_id, fiscal_year)
)
select * from final order by funder_id, fiscal_year;
