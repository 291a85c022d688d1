-- Décisions comptées par financeur, service, dispositif, département du siège et exercice : la maille la plus fine des taux de refus. Réservé aux analystes.

with source as (
    select
        *,
        -- a refusal brings nothing; an award of an unknown amount is no award of nothing
        decision_status = 'refused' or decision_status = 'awarded' and amount_awarded is not null as is_amount_known
    from decisions
),
counted as (
    select
        funder_id,
        service_key,
        scheme,
        call_id,
        departement_code,
        fiscal_year,
        currency,
        count(*) filter (decision_status = 'awarded')::integer as n_awarded,
        count(*) filter (decision_status = 'refused')::integer as n_refused,
        count(*) filter (decision_status = 'inadmissible')::integer as n_inadmissible,
        count(*) filter (decision_status = 'withdrawn')::integer as n_withdrawn,
        count(*) filter (decision_status = 'closed_no_action')::integer as n_closed,
        count(*) filter (decision_status = 'pending')::integer as n_pending,
        count(*) filter (decision_status = 'cancelled')::integer as n_cancelled,
        count(*) filter (decision_status = 'unknown')::integer as n_unknown,
        count(*)::integer as n_total,
        count(amount_requested) filter (is_amount_known)::integer as n_requested_known,
        sum(amount_requested) filter (is_amount_known) as amount_requested,
        sum(amount_requested) filter (is_amount_known or decision_status = 'inadmissible') as amount_requested_with_inadmissible,
        sum(amount_requested) filter (is_amount_known and decision_status = 'awarded') as amount_requested_of_awarded,
        count(*) filter (is_amount_known and amount_awarded < amount_requested)::integer as n_partial,
        count(*) filter (is_amount_known and amount_awarded > amount_requested)::integer as n_above_requested,
        count(amount_requested) filter (is_amount_known and decision_status = 'awarded')::integer as n_awarded_both_known,
        sum(amount_awarded) as amount_awarded,
        sum(amount_awarded) filter (amount_requested is not null) as amount_awarded_where_requested
    from source
    group by all
),
final as (
    select
        counted.*,
        publication.published,
        publication.basis,
        publication.basis = 'declared' and publication.published
            or publication.n_refused > 0 as zero_allowed
    from counted
    join refusal_publication as publication using (funder_id, service_key, fiscal_year)
)
select * from final order by funder_id, service_key, scheme, call_id, departement_code, fiscal_year, currency;
