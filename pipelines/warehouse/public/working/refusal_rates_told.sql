-- Taux de refus de chaque maille (financeur, service, service et département, dispositif) réduits à ce qui peut en être dit.

with cells as (
    select 'funder' as grain, * from funding.refusal_rates_by_funder_year
    union all by name select 'service' as grain, * from funding.refusal_rates_by_service_year
    union all by name select 'territory' as grain, * from funding.refusal_rates_by_service_territory_year
    union all by name select 'scheme' as grain, * from funding.refusal_rates_by_scheme_year
),
shown as (
    select 'funder' as grain, * from shown_funder_year
    union all by name select 'service' as grain, * from shown_service_year
    union all by name select 'territory' as grain, * from shown_territory_year
    union all by name select 'scheme' as grain, * from shown_scheme_year
),
others as (
    select 'funder' as grain, funder_id, fiscal_year, sum(amount_awarded) as amount from other_decisions group by all
    union all by name
    select 'service' as grain, funder_id, service_key, fiscal_year, sum(amount_awarded) as amount from other_decisions group by all
    union all by name
    select 'territory' as grain, funder_id, service_key, departement_code, fiscal_year, sum(amount_awarded) as amount
    from other_decisions group by all
    union all by name
    select 'scheme' as grain, funder_id, scheme, fiscal_year, sum(amount_awarded) as amount from other_decisions group by all
),
source as (
    select
        cells.* replace (cells.amount_awarded - coalesce(others.amount, 0) as amount_awarded),
        coalesce(shown.refused, false) as is_refused_shown,
        coalesce(shown.inadmissible, false) as is_inadmissible_shown,
        coalesce(shown.withdrawn, false) as is_withdrawn_shown,
        coalesce(shown.closed, false) as is_closed_shown,
        coalesce(shown.pending, false) as is_pending_shown,
        coalesce(shown.cancelled, false) as is_cancelled_shown,
        coalesce(shown.unknown, false) as is_unknown_shown,
        case cells.grain
            when 'funder' then coalesce(amount_rules.is_funder_shown, false)
            when 'service' then coalesce(amount_rules.is_service_shown, false)
            else false
        end as is_amount_allowed,
        amount_rules.n_services_asked
    from cells
    left join shown on cells.grain = shown.grain and cells.funder_id = shown.funder_id and cells.fiscal_year = shown.fiscal_year
        and cells.service_key is not distinct from shown.service_key
        and cells.departement_code is not distinct from shown.departement_code and cells.scheme is not distinct from shown.scheme
    left join others on cells.grain = others.grain and cells.funder_id = others.funder_id and cells.fiscal_year = others.fiscal_year
        and cells.service_key is not distinct from others.service_key
        and cells.departement_code is not distinct from others.departement_code and cells.scheme is not distinct from others.scheme
    left join amount_rules on cells.funder_id = amount_rules.funder_id and cells.fiscal_year = amount_rules.fiscal_year
    where cells.n_awarded > 0
),
ruled as (
    select
        *,
        public_status(
            published, zero_allowed, n_refused, decided_share, is_refused_shown, is_pending_shown and is_unknown_shown
        ) as status
    from source
),
opened as (
    select
        *,
        status = 'shown' as is_rate,
        status = 'bounds' as is_bounds,
        status in ('shown', 'bounds') as is_told,
        is_told and is_refused_shown and is_inadmissible_shown and is_withdrawn_shown and is_closed_shown and is_pending_shown
            and is_cancelled_shown and is_unknown_shown as is_all_told,
        -- a single hidden service would be the funder's amount less the others
        is_amount_allowed and (grain = 'funder' or n_services_asked = count(*) filter (status = 'shown' and n_requested_known > 0)
            over (partition by grain, funder_id, fiscal_year)) as is_amount_safe
    from ruled
),
counted as (
    select
        grain, funder_id, service_key, departement_code, scheme, fiscal_year,
        published,
        status,
        if(is_told, n_decided, null) as n_decided,
        n_awarded,
        if(is_told, n_refused, null) as n_refused,
        if(is_told and is_inadmissible_shown, n_inadmissible, null) as n_inadmissible,
        if(is_told and is_withdrawn_shown, n_withdrawn, null) as n_withdrawn,
        if(is_told and is_closed_shown, n_closed, null) as n_closed,
        if(is_told and is_pending_shown, n_pending, null) as n_pending,
        if(is_told and is_cancelled_shown, n_cancelled, null) as n_cancelled,
        if(is_told and is_unknown_shown, n_unknown, null) as n_unknown,
        if(is_all_told, n_total, null) as n_total,
        if(is_rate, refusal_rate, null) as refusal_rate,
        if(is_rate, wilson_low, null) as wilson_low,
        if(is_rate, wilson_high, null) as wilson_high,
        if(is_bounds, bound_low, null) as bound_low,
        if(is_bounds, bound_high, null) as bound_high,
        if(is_all_told, pending_share, null) as pending_share,
        if(is_rate and is_inadmissible_shown, inadmissibility_rate, null) as inadmissibility_rate,
        if(is_rate and is_inadmissible_shown, non_success_rate, null) as non_success_rate,
        if(is_rate and is_amount_safe, satisfaction_rate_amount, null) as satisfaction_rate_amount,
        if(is_rate and is_amount_safe, amount_requested, null) as amount_requested,
        if(is_rate and is_amount_safe, n_requested_known, null) as n_requested_known,
        amount_awarded,
        currency,
        if(is_all_told, decided_share, null) as decided_share
    from opened
),
final as (
    select
        *,
        if(status = 'not_published', null, nullif(concat_ws(
            ',',
            if(n_decided is null, 'n_decided', null), if(n_refused is null, 'n_refused', null),
            if(n_inadmissible is null, 'n_inadmissible', null), if(n_withdrawn is null, 'n_withdrawn', null),
            if(n_closed is null, 'n_closed', null), if(n_pending is null, 'n_pending', null),
            if(n_cancelled is null, 'n_cancelled', null), if(n_unknown is null, 'n_unknown', null),
            if(n_total is null, 'n_total', null)
        ), '')) as suppressed_columns,
        if(n_decided is null, null, getvariable('as_of')::date) as figures_date,
        false as is_former
    from counted
)
select * from final;
