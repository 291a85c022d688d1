-- Ce que les fichiers disent des subventions accordées, par financeur et exercice : lignes et montants où chaque information est présente, et sur combien elle manque. Montants des personnes morales seulement.

with flagged as (
    select
        funder_id, fiscal_year, currency, stage, amount_headline as amount,
        service_name is not null as has_service,
        scheme is not null as has_scheme,
        coalesce(theme, 'unknown') <> 'unknown' as has_theme,
        purpose is not null as has_purpose,
        aid_form is not null as has_aid_form,
        seat_departement_code is not null as has_seat,
        action_departement_code is not null as has_action,
        coalesce(applicant_siren, applicant_siret, applicant_rna) is not null as has_identifier,
        is_multi_year is not null as has_term
    from other_awards
),
laid_out as (
    unpivot flagged
    on has_service as service, has_scheme as scheme, has_theme as theme, has_purpose as purpose, has_aid_form as aid_form, has_seat as seat, has_action as action, has_identifier as identifier, has_term as term
    into name information value is_present
),
others as (
    select
        funder_id, fiscal_year, currency, stage, information,
        sum(amount) as amount,
        sum(amount) filter (not is_present) as amount_missing
    from laid_out
    group by all
),
final as (
    select mart.* replace (
        mart.amount - coalesce(others.amount, 0) as amount,
        (mart.amount_missing - coalesce(others.amount_missing, 0))::decimal(18, 2) as amount_missing
    )
    from funding.funding_coverage_by_funder_year as mart
    left join others
        on mart.funder_id = others.funder_id and mart.fiscal_year = others.fiscal_year and mart.stage = others.stage
        and mart.currency is not distinct from others.currency and mart.information = others.information
    where mart.information <> 'requested'
)
select * from final order by funder_id, fiscal_year, currency, stage, information;
