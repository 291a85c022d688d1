-- Taux de refus par service instructeur, département du siège du demandeur et exercice.

with final as (
    select
        funder_id,
        service_key,
        departement_code,
        fiscal_year,
        published,
        published_share,
        zero_allowed,
        n_decided, n_awarded, n_refused, n_inadmissible, n_withdrawn, n_closed, n_pending, n_cancelled, n_unknown, n_total,
        refusal_rate, wilson_low, wilson_high, bound_low, bound_high, pending_share,
        inadmissibility_rate, non_success_rate, satisfaction_rate_amount,
        amount_requested, n_requested_known, amount_awarded, currency, decided_share
    from refusal_rates
    where level = 'service_territory'
)
select * from final order by funder_id, service_key, departement_code, fiscal_year;
