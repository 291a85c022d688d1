-- Montants demandés publiables : assez de demandeurs, aucun qui domine, parmi les demandes décidées et parmi les refusées. Par financeur et exercice, puis pour tous ses services à la fois ou aucun. Pas où le taux laisserait calculer ce qu'une personne physique ou un organisme de nature inconnue a reçu.

with applicants as (  -- identities that one name may hide count as one applicant
    select organisation_id, slug(name) as name_slug from funding.organisations
),
source as (
    select
        decisions.funder_id, decisions.service_key, decisions.fiscal_year, decisions.amount_requested,
        decisions.decision_status = 'refused' as is_refused,
        coalesce(applicants.name_slug, decisions.organisation_id) as organisation_id
    from funding.decisions as decisions
    left join applicants using (organisation_id)
    where amount_requested is not null and (decision_status = 'refused' or decision_status = 'awarded' and amount_awarded is not null)
),
by_applicant as (
    select
        funder_id, fiscal_year, service_key, organisation_id,
        sum(amount_requested) as amount,
        coalesce(sum(amount_requested) filter (is_refused), 0) as amount_refused,
        bool_or(is_refused) as has_refused
    from source
    group by grouping sets (
        (funder_id, fiscal_year, organisation_id), (funder_id, fiscal_year, service_key, organisation_id)
    )
),
cells as (
    select
        funder_id, fiscal_year, service_key,
        count(*) >= getvariable('min_applicants')
            and max(amount) <= getvariable('max_share') * sum(amount)
            and (
                not bool_or(has_refused)
                or (
                    count(*) filter (has_refused) >= getvariable('min_applicants')
                    and max(amount_refused) <= getvariable('max_share') * sum(amount_refused)
                )
            ) as is_safe
    from by_applicant
    group by all
),
others as (
    select
        funder_id, fiscal_year, unit,
        sum(amount_headline) as amount,
        bool_and(amount_requested is not null and amount_headline is not null) as is_known,
        min(row(currency, stage, funder_level)) as least_block,
        max(row(currency, stage, funder_level)) as last_block
    from other_awards
    group by funder_id, fiscal_year, unit
),
others_told as (  -- what was awarded follows from the rate and the amount: persons are in it all, as one group, or not at all
    select
        funder_id, fiscal_year,
        bool_and(is_known) and min(least_block) = max(last_block)
            and count(*) filter (amount <> 0) >= getvariable('min_persons')
            and max(abs(amount)) <= getvariable('max_share') * sum(abs(amount)) as is_safe
    from others
    group by funder_id, fiscal_year
),
final as (
    select
        cells.funder_id,
        cells.fiscal_year,
        bool_and(cells.is_safe and coalesce(others_told.is_safe, true)) filter (service_key is null) as is_funder_shown,
        bool_and(cells.is_safe and others_told.funder_id is null) as is_service_shown,
        count(service_key)::integer as n_services_asked
    from cells
    left join others_told on cells.funder_id = others_told.funder_id and cells.fiscal_year = others_told.fiscal_year
    group by cells.funder_id, cells.fiscal_year
)
select * from final order by funder_id, fiscal_year;
