-- Taux de refus par dispositif d'un financeur et exercice.

with source as (
    select * from decision_counts
),
renamed as (
    select
        funder_id,
        scheme,
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
        if(count(distinct currency) = 1, min(currency), null) as currency,
        if(count(distinct currency) = 1, sum(amount_requested), null) as amount_requested,
        if(count(distinct currency) = 1, sum(amount_awarded), null) as amount_awarded,
        if(count(distinct currency) = 1, sum(amount_awarded_where_requested), null) as amount_awarded_where_requested
    from source
    group by funder_id, scheme, fiscal_year
),
computed as (
    select
        *,
        rates_of(coalesce(published, false), zero_allowed, n_awarded, n_refused, n_inadmissible, n_pending + n_unknown, n_total) as rates
    from renamed
),
final as (
    select
        funder_id,
        scheme,
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
        rates.inadmissibility_rate as inadmissibility_rate,
        rates.non_success_rate as non_success_rate,
        if(
            rates.refusal_rate is not null and amount_requested > 0,
            coalesce(amount_awarded_where_requested, 0) / amount_requested, null
        ) as satisfaction_rate_amount,
        amount_requested,
        n_requested_known,
        amount_awarded,
        currency,
        rates.decided_share as decided_share
    from computed
)
select * from final order by funder_id, scheme, fiscal_year;
