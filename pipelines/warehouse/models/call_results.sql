-- Ce qu'a donné la dernière édition d'un appel à projets : demandes, accords et refus, par le code de l'appel, sinon par celui de l'édition précédente, sinon par son dispositif et le dernier exercice décidé. Réservé aux analystes.

with source as (
    select call_key, funder_id, call_id, previous_call_id, scheme, is_declared from calls where is_declared
),
call_refs as (  -- min(): each spelling is folded once, not once a line
    select call_id, slug(min(call_id)) as call_ref from applications where is_counted and call_id is not null group by call_id
),
called as (
    select distinct applications.application_id, call_refs.call_ref
    from applications
    join call_refs using (call_id)
    where applications.is_counted and call_refs.call_ref is not null
),
scheme_refs as (
    select scheme, slug(min(scheme)) as scheme_ref from decisions group by scheme
),
decided as (  -- counted before calls are met with them: many calls bear one scheme
    select 'call' as kind, called.call_ref as ref, decisions.*
    from called
    join decisions using (application_id)
    union all
    select 'scheme' as kind, scheme_refs.scheme_ref as ref, decisions.*
    from decisions
    join scheme_refs using (scheme)
    where scheme_refs.scheme_ref is not null
),
grouped as (
    select
        kind, ref, funder_id, fiscal_year, scheme, currency,
        count(*) as n_total,
        count(*) filter (decision_status = 'awarded') as n_awarded,
        count(*) filter (decision_status = 'refused') as n_refused,
        count(*) filter (decision_status = 'inadmissible') as n_inadmissible,
        count(*) filter (decision_status = 'pending') as n_pending,
        sum(amount_requested) as amount_requested,
        sum(amount_awarded) as amount_awarded
    from decided
    group by all
),
wanted as (
    select call_key, funder_id, 'call' as basis, 1 as priority, 'call' as kind, slug(call_id) as ref, call_id as edition from source
    union all
    select call_key, funder_id, 'previous_call' as basis, 2 as priority, 'call' as kind, slug(previous_call_id) as ref, previous_call_id as edition
    from source
    union all
    select call_key, funder_id, 'scheme' as basis, 3 as priority, 'scheme' as kind, slug(scheme) as ref, scheme as edition from source
),
counted as (
    select
        wanted.call_key, wanted.basis, wanted.priority, wanted.edition, wanted.funder_id, grouped.fiscal_year,
        if(count(distinct scheme) = 1, min(scheme), null) as scheme,
        sum(n_total)::integer as n_total,
        sum(n_awarded)::integer as n_awarded,
        sum(n_refused)::integer as n_refused,
        sum(n_inadmissible)::integer as n_inadmissible,
        sum(n_pending)::integer as n_pending,
        if(count(distinct currency) = 1, min(currency), null) as currency,
        if(count(distinct currency) = 1, sum(amount_requested), null) as amount_requested,
        if(count(distinct currency) = 1, sum(amount_awarded), null) as amount_awarded
    from wanted
    join grouped using (kind, ref, funder_id)
    group by wanted.call_key, wanted.basis, wanted.priority, wanted.edition, wanted.funder_id, grouped.fiscal_year
),
last_edition as (  -- the first way that leads to a decision, at its latest year
    from counted
    where n_awarded + n_refused > 0 and fiscal_year <= year(getvariable('as_of')::date)
    qualify row_number() over (partition by call_key order by priority, fiscal_year desc) = 1
),
scheme_years as (
    select funder_id, scheme, fiscal_year, sum(n_total)::integer as n_total from decision_counts group by all
),
final as (
    select
        last_edition.call_key,
        last_edition.funder_id,
        last_edition.basis,
        last_edition.edition,
        last_edition.scheme,
        last_edition.fiscal_year,
        last_edition.n_total,
        last_edition.n_awarded,
        last_edition.n_refused,
        last_edition.n_inadmissible,
        last_edition.n_pending,
        last_edition.amount_requested,
        last_edition.amount_awarded,
        last_edition.currency,
        coalesce(last_edition.n_total = scheme_years.n_total, false) as is_whole_scheme
    from last_edition
    left join scheme_years using (funder_id, scheme, fiscal_year)
)
select * from final order by call_key;
