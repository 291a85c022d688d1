-- Demandes représentées dans l'année, par service et exercice : taux de refus brut, puis chaque suite de demandes ramenée à une. Réservé aux analystes.
-- linked : une demande que le dossier d'une autre dit remplacer, même financeur et exercice, ne compte plus, la dernière parle ; by_applicant : une décision par demandeur et dispositif, accordée si l'une l'est (deux projets différents y comptent pour un).

with source as not materialized (
    select application_id, funder_id, service_key, scheme, organisation_id, fiscal_year, decision_status, case_number, previous_application_id
    from decisions
),
replaced as (
    select distinct earlier.application_id
    from source as later
    join source as earlier
        on later.funder_id = earlier.funder_id
        and later.fiscal_year = earlier.fiscal_year
        and later.organisation_id = earlier.organisation_id
        and later.previous_application_id = earlier.case_number
        and later.application_id <> earlier.application_id
    where later.previous_application_id is not null
    union
    select distinct earlier.application_id
    from source as later
    join source as earlier
        on later.previous_application_id = earlier.application_id
        and later.fiscal_year = earlier.fiscal_year
        and later.application_id <> earlier.application_id
    where later.previous_application_id is not null
),
linked as (
    select
        source.funder_id, source.service_key, source.fiscal_year,
        count(*) filter (replaced.application_id is not null) as n_resubmitted,
        count(*) filter (decision_status in ('awarded', 'refused') and replaced.application_id is null) as n_decided_linked,
        count(*) filter (decision_status = 'refused' and replaced.application_id is null) as n_refused_linked
    from source
    left join replaced using (application_id)
    group by all
),
applicants as (
    select
        funder_id, service_key, scheme, organisation_id, fiscal_year,
        bool_or(decision_status = 'awarded') as has_award
    from source
    where decision_status in ('awarded', 'refused')
    group by all
),
by_applicant as (
    select
        funder_id, service_key, fiscal_year,
        count(*) as n_decided_by_applicant,
        count(*) filter (not has_award) as n_refused_by_applicant
    from applicants
    group by all
),
final as (
    select
        rates.funder_id,
        rates.service_key,
        rates.fiscal_year,
        rates.n_decided,
        rates.n_refused,
        rates.refusal_rate,
        linked.n_resubmitted::integer as n_resubmitted,
        linked.n_decided_linked::integer as n_decided_linked,
        linked.n_refused_linked::integer as n_refused_linked,
        if(rates.refusal_rate is not null, ratio(n_refused_linked, n_decided_linked), null) as refusal_rate_linked,
        coalesce(n_decided_by_applicant, 0)::integer as n_decided_by_applicant,
        coalesce(n_refused_by_applicant, 0)::integer as n_refused_by_applicant,
        if(rates.refusal_rate is not null, ratio(n_refused_by_applicant, n_decided_by_applicant), null) as refusal_rate_by_applicant
    from refusal_rates as rates
    join linked using (funder_id, service_key, fiscal_year)
    left join by_applicant using (funder_id, service_key, fiscal_year)
    where rates.level = 'service'
)
select * from final order by funder_id, service_key, fiscal_year;
