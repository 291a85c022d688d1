-- Demandes en face de l'enveloppe de chaque appel à projets, par exercice. Réservé aux analystes.
-- status : shown ; envelope_not_stated ; refusals_not_published, seules les demandes accordées sont connues ; requested_not_stated ; several_currencies. Enveloppe en euros.

with call_refs as (  -- min(): each spelling is folded once, not once a line
    select call_id, slug(min(call_id)) as call_ref from decisions group by call_id
),
source as (
    select funder_id || '/' || call_ref as call_key, decisions.* exclude (call_id)
    from decisions
    join call_refs using (call_id)
    where call_ref is not null
),
counted as (
    select
        source.call_key,
        source.fiscal_year,
        count(*) as n_applications,
        count(source.amount_requested) as n_requested_known,
        sum(source.amount_requested) as amount_requested,
        count(*) filter (source.decision_status = 'awarded') as n_awarded,
        sum(source.amount_awarded) as amount_awarded,
        bool_and(coalesce(publication.published, false)) as is_published,
        bool_and(coalesce(source.currency = 'EUR', false)) as is_euro
    from source
    join refusal_publication as publication using (funder_id, service_key, fiscal_year)
    where source.decision_status not in ('withdrawn', 'cancelled')
    group by all
),
ruled as (
    select
        counted.*,
        calls.funder_id,
        calls.envelope,
        case
            when calls.envelope is null then 'envelope_not_stated'
            when not counted.is_published then 'refusals_not_published'
            when counted.n_requested_known = 0 then 'requested_not_stated'
            when not counted.is_euro then 'several_currencies'
            else 'shown'
        end as demand_status
    from counted
    join calls using (call_key)
),
final as (
    select
        call_key,
        funder_id,
        fiscal_year,
        demand_status as status,
        envelope,
        n_applications::integer as n_applications,
        n_requested_known::integer as n_requested_known,
        if(is_euro, amount_requested, null) as amount_requested,
        n_awarded::integer as n_awarded,
        if(is_euro, amount_awarded, null) as amount_awarded,
        if(demand_status = 'shown' and envelope > 0, amount_requested / envelope, null) as demand_to_envelope,
        if(is_euro and envelope > 0, amount_awarded / envelope, null) as awarded_to_envelope
    from ruled
)
select * from final order by call_key, fiscal_year;
