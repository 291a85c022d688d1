-- Taux de refus par service et année de dépôt de la demande : l'autre lecture de la même décision, pour suivre une même vague de demandes. Réservé aux analystes.
-- Seules les demandes dont la date de dépôt est connue ; with_date_share dit leur part, sur les exercices qui les contiennent.

with source as (
    select decisions.*, publication.published, publication.basis, publication.n_refused as n_refused_year
    from decisions
    join refusal_publication as publication using (funder_id, service_key, fiscal_year)
),
undated as (
    select service_key, ratio(count(deposited_date), count(*)) as with_date_share from source group by service_key
),
counted as (
    select
        funder_id,
        service_key,
        year(deposited_date)::integer as deposit_year,
        published_of(ratio(count(*) filter (published), count(*)), bool_and(coalesce(not published, false))) as published,
        bool_and(basis = 'declared' and published or n_refused_year > 0) as zero_allowed,
        count(*) filter (decision_status = 'awarded')::integer as n_awarded,
        count(*) filter (decision_status = 'refused')::integer as n_refused,
        count(*) filter (decision_status = 'inadmissible')::integer as n_inadmissible,
        count(*) filter (decision_status = 'pending')::integer as n_pending,
        count(*) filter (decision_status = 'unknown')::integer as n_unknown,
        count(*)::integer as n_total
    from source
    where deposited_date is not null
    group by funder_id, service_key, deposit_year
),
computed as (
    select
        *,
        rates_of(coalesce(published, false), coalesce(zero_allowed, false), n_awarded, n_refused, n_inadmissible, n_pending + n_unknown, n_total) as rates
    from counted
),
final as (
    select
        funder_id,
        service_key,
        deposit_year,
        published,
        n_awarded + n_refused as n_decided,
        n_awarded, n_refused, n_inadmissible, n_pending, n_unknown, n_total,
        rates.refusal_rate as refusal_rate,
        if(rates.refusal_rate is not null, wilson_low(n_refused, n_awarded + n_refused), null) as wilson_low,
        if(rates.refusal_rate is not null, wilson_high(n_refused, n_awarded + n_refused), null) as wilson_high,
        rates.bound_low as bound_low,
        rates.bound_high as bound_high,
        rates.decided_share as decided_share,
        undated.with_date_share
    from computed
    join undated using (service_key)
)
select * from final order by funder_id, service_key, deposit_year;
