-- Ce qu'a donné la dernière édition d'un appel à projets : demandes, accords et refus, par le code de l'appel, sinon par celui de l'édition précédente, sinon par son dispositif et le dernier exercice décidé. Réservé aux analystes.

with source as (
    select call_key, funder_id, call_id, previous_call_id, scheme, is_declared from calls where is_declared
),
called as (
    select distinct application_id, slug(call_id) as call_ref from applications where is_counted and slug(call_id) is not null
),
wanted as (
    select call_key, funder_id, 'call' as basis, 1 as priority, slug(call_id) as call_ref, call_id as edition from source
    union all
    select call_key, funder_id, 'previous_call' as basis, 2 as priority, slug(previous_call_id) as call_ref, previous_call_id as edition from source
),
by_call as (
    select wanted.call_key, wanted.basis, wanted.priority, wanted.edition, decisions.*
    from wanted
    join called using (call_ref)
    join decisions on called.application_id = decisions.application_id and wanted.funder_id = decisions.funder_id
),
by_scheme as (
    select source.call_key, 'scheme' as basis, 3 as priority, source.scheme as edition, decisions.*
    from source
    join decisions on source.funder_id = decisions.funder_id and slug(source.scheme) = slug(decisions.scheme)
),
together as (
    select * from by_call union all select * from by_scheme
),
counted as (
    select
        call_key, basis, priority, edition, funder_id, fiscal_year,
        if(count(distinct scheme) = 1, min(scheme), null) as scheme,
        count(*)::integer as n_total,
        count(*) filter (decision_status = 'awarded')::integer as n_awarded,
        count(*) filter (decision_status = 'refused')::integer as n_refused,
        count(*) filter (decision_status = 'inadmissible')::integer as n_inadmissible,
        count(*) filter (decision_status = 'pending')::integer as n_pending,
        if(count(distinct currency) = 1, min(currency), null) as currency,
        if(count(distinct currency) = 1, sum(amount_requested), null) as amount_requested,
        if(count(distinct currency) = 1, sum(amount_awarded), null) as amount_awarded
    from together
    group by call_key, basis, priority, edition, funder_id, fiscal_year
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
