-- Demandes de subvention, une ligne par demande (prêts et garanties exclus) : ce qu'elle est devenue.
-- Si les lignes d'une demande se contredisent, la première de ces décisions l'emporte : accordée, refusée, irrecevable, retirée, sans suite, annulée, en instruction, inconnue.

with source as not materialized (
    select
        application_id, line_id, funder_id, service_key, scheme, call_id, seat_departement_code, organisation_id,
        applicant_kind, fiscal_year, decision_status, refusal_reason, purpose, is_first_request, is_renewal, case_number,
        previous_application_id, deposited_date, decided_date, currency, amount_requested,
        case when is_award then amount_awarded end as amount_awarded,
        first_paid_date, is_only_line
    from applications
    where is_counted and is_grant
),
several_lines as (
    select
        application_id,
        arg_min(
            struct_pack(
                line_id := line_id, funder_id := funder_id, service_key := service_key, scheme := scheme, call_id := call_id,
                seat_departement_code := seat_departement_code, organisation_id := organisation_id,
                applicant_kind := applicant_kind, fiscal_year := fiscal_year, decision_status := decision_status,
                refusal_reason := refusal_reason, purpose := purpose, is_first_request := is_first_request,
                is_renewal := is_renewal, case_number := case_number, previous_application_id := previous_application_id,
                deposited_date := deposited_date, decided_date := decided_date, currency := currency
            ),
            row(decision_rank(decision_status), line_id)
        ) as first_line,
        -- the same amount on two lines is one amount said twice
        sum(distinct amount_requested) as amount_requested,
        sum(distinct amount_awarded) as amount_awarded,
        min(first_paid_date) as first_paid_date,
        count(*) as n_lines
    from source
    where not is_only_line
    group by application_id
),
renamed as (  -- columns of the two in one order, that of the lines
    select application_id, first_line.*, amount_requested, amount_awarded, first_paid_date, n_lines from several_lines
    union all
    select * exclude (is_only_line), 1 as n_lines from source where is_only_line
),
final as (
    select
        application_id,
        funder_id,
        service_key,
        coalesce(scheme, '—') as scheme,
        coalesce(call_id, '—') as call_id,
        coalesce(seat_departement_code, '—') as departement_code,
        organisation_id,
        applicant_kind,
        fiscal_year,
        decision_status,
        case
            when decision_status in ('refused', 'inadmissible') then coalesce(refusal_reason, 'not_disclosed')
        end as refusal_reason,
        coalesce(purpose, 'unknown') as purpose,
        is_first_request,
        is_renewal,
        case_number,
        previous_application_id,
        deposited_date,
        decided_date,
        first_paid_date,
        amount_requested::decimal(18, 2) as amount_requested,
        amount_awarded::decimal(18, 2) as amount_awarded,
        currency,
        n_lines::integer as n_lines
    from renamed
)
-- in no order, as applications: to sort by a number without meaning would cost as much as all the rest
select * from final;
