-- Montants demandés publiables : assez de demandeurs, aucun qui domine, parmi les demandes décidées et parmi les refusées. Par financeur et exercice, puis pour tous ses services à la fois ou aucun.

with source as (
    select
        decisions.funder_id, decisions.service_key, decisions.fiscal_year, decisions.amount_requested,
        decisions.decision_status = 'refused' as is_refused,
        -- identities that one name may hide count as one applicant
        coalesce(slug(organisations.name), decisions.organisation_id) as organisation_id
    from funding.decisions as decisions
    left join funding.organisations as organisations using (organisation_id)
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
final as (
    select
        funder_id,
        fiscal_year,
        bool_and(is_safe) filter (service_key is null) as is_funder_shown,
        bool_and(is_safe) as is_service_shown,
        count(service_key)::integer as n_services_asked
    from cells
    group by funder_id, fiscal_year
)
select * from final order by funder_id, fiscal_year;
