-- Taux de refus par financeur et exercice : refusées ÷ (accordées + refusées), avec tout ce qui n'entre pas dans ce rapport à côté.
-- Un effectif qui n'est pas une attribution n'est donné que s'il ne désigne personne ; status dit pourquoi il manque. amount_awarded : personnes morales seulement.

with others as (
    select funder_id, fiscal_year, sum(amount_awarded) as amount from other_decisions group by all
),
source as (
    select
        rates.* replace (rates.amount_awarded - coalesce(others.amount, 0) as amount_awarded),
        coalesce(shown.refused, false) as is_refused_shown,
        coalesce(shown.inadmissible, false) as is_inadmissible_shown,
        coalesce(shown.withdrawn, false) as is_withdrawn_shown,
        coalesce(shown.closed, false) as is_closed_shown,
        coalesce(shown.pending, false) as is_pending_shown,
        coalesce(shown.cancelled, false) as is_cancelled_shown,
        coalesce(shown.unknown, false) as is_unknown_shown,
        coalesce(amount_rules.is_funder_shown, false) as is_amount_safe
    from funding.refusal_rates_by_funder_year as rates
    left join shown_funder_year as shown using (funder_id, fiscal_year)
    left join amount_rules using (funder_id, fiscal_year)
    left join others using (funder_id, fiscal_year)
    where rates.n_awarded > 0
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
            and is_cancelled_shown and is_unknown_shown as is_all_told
    from ruled
),
counted as (
    select
        funder_id, fiscal_year,
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
select * from final order by funder_id, fiscal_year;
