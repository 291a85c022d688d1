-- Tous les taux de refus, à chaque niveau (level) : financeur, service, service et département du siège, dispositif, service et dispositif, et la maille la plus fine, appel à projets compris.
-- comparability dit si le taux se compare à d'autres, sinon pourquoi. Réservé aux analystes : les tables publiques en sont des extraits protégés.

with source as (
    select * from decision_counts
),
counted as (
    select
        case grouping(service_key, departement_code, scheme, call_id)
            when 0 then 'cell'
            when 3 then 'service_territory'
            when 5 then 'service_scheme'
            when 7 then 'service'
            when 13 then 'scheme'
            else 'funder'
        end as level,
        funder_id,
        service_key,
        departement_code,
        scheme,
        call_id,
        fiscal_year,
        published_of(
            sum(n_total) filter (published) / sum(n_total), bool_and(coalesce(not published, false))
        ) as published,
        coalesce(sum(n_total) filter (published) / sum(n_total), 0) as published_share,
        bool_and(zero_allowed) as zero_allowed,
        sum(n_awarded + n_refused)::integer as n_decided,
        sum(n_awarded)::integer as n_awarded,
        sum(n_refused)::integer as n_refused,
        sum(n_inadmissible)::integer as n_inadmissible,
        sum(n_withdrawn)::integer as n_withdrawn,
        sum(n_closed)::integer as n_closed,
        sum(n_pending)::integer as n_pending,
        sum(n_cancelled)::integer as n_cancelled,
        sum(n_unknown)::integer as n_unknown,
        sum(n_total)::integer as n_total,
        sum(n_requested_known)::integer as n_requested_known,
        sum(n_awarded_both_known)::integer as n_awarded_both_known,
        sum(n_partial)::integer as n_partial,
        sum(n_above_requested)::integer as n_above_requested,
        if(count(distinct currency) = 1, sum(amount_requested), null) as amount_requested,
        if(count(distinct currency) = 1, sum(amount_requested_with_inadmissible), null) as amount_requested_with_inadmissible,
        if(count(distinct currency) = 1, sum(amount_requested_of_awarded), null) as amount_requested_of_awarded,
        if(count(distinct currency) = 1, sum(amount_awarded), null) as amount_awarded,
        if(count(distinct currency) = 1, sum(amount_awarded_where_requested), null) as amount_awarded_where_requested,
        count(distinct currency) as n_currencies,
        if(count(distinct currency) = 1, min(currency), null) as currency
    from source
    group by grouping sets (
        (funder_id, fiscal_year),
        (funder_id, service_key, fiscal_year),
        (funder_id, service_key, departement_code, fiscal_year),
        (funder_id, scheme, fiscal_year),
        (funder_id, service_key, scheme, fiscal_year),
        (funder_id, service_key, departement_code, scheme, call_id, fiscal_year)
    )
),
computed as (
    select
        *,
        rates_of(coalesce(published, false), zero_allowed, n_awarded, n_refused, n_inadmissible, n_pending + n_unknown, n_total) as rates
    from counted
),
final as (
    select
        level,
        funder_id,
        service_key,
        departement_code,
        scheme,
        call_id,
        fiscal_year,
        published,
        published_share,
        zero_allowed,
        n_decided, n_awarded, n_refused, n_inadmissible, n_withdrawn, n_closed, n_pending, n_cancelled, n_unknown, n_total,
        rates.refusal_rate as refusal_rate,
        if(rates.refusal_rate is not null, wilson_low(n_refused, n_decided), null) as wilson_low,
        if(rates.refusal_rate is not null, wilson_high(n_refused, n_decided), null) as wilson_high,
        rates.bound_low as bound_low,
        rates.bound_high as bound_high,
        ratio(n_pending, n_total) as pending_share,
        ratio(n_withdrawn, n_total) as withdrawn_share,
        ratio(n_closed, n_total) as no_action_share,
        rates.inadmissibility_rate as inadmissibility_rate,
        rates.non_success_rate as non_success_rate,
        1 - rates.non_success_rate as satisfaction_rate_count,
        if(
            rates.refusal_rate is not null and amount_requested > 0,
            coalesce(amount_awarded_where_requested, 0) / amount_requested, null
        ) as satisfaction_rate_amount,
        if(
            rates.non_success_rate is not null and amount_requested_with_inadmissible > 0,
            coalesce(amount_awarded_where_requested, 0) / amount_requested_with_inadmissible, null
        ) as satisfaction_rate_amount_with_inadmissible,
        if(amount_requested_of_awarded > 0, amount_awarded_where_requested / amount_requested_of_awarded, null) as award_intensity,
        ratio(n_partial, n_awarded_both_known) as partial_share,
        n_partial,
        n_above_requested,
        n_awarded_both_known,
        amount_requested,
        n_requested_known,
        ratio(n_requested_known, n_decided) as requested_known_share,
        amount_awarded,
        currency,
        rates.decided_share as decided_share,
        n_inadmissible > 0 as has_inadmissible,
        case
            when n_unknown > (1 - getvariable('min_decided_share')) * n_total then 'unknown_statuses'
            when published is null and published_share > 0 then 'partly_published'
            when published is null then 'not_known_published'
            when not published then 'not_published'
            when rates.decided_share < getvariable('min_decided_share') then 'undecided'
            when n_decided < getvariable('min_decisions') then 'too_few'
            when rates.refusal_rate is null then 'zero_not_declared'
            else 'comparable'
        end as comparability,
        case
            when n_currencies > 1 then 'several_currencies'
            when n_requested_known = 0 then 'requested_not_stated'
            when satisfaction_rate_amount is null then 'no_rate'
            else 'shown'
        end as amount_status
    from computed
)
select * from final order by level, funder_id, service_key, departement_code, scheme, call_id, fiscal_year;
