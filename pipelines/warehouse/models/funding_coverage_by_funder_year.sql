-- Ce que les fichiers disent des subventions accordées, par financeur et exercice : lignes et montants où chaque information est présente, et sur combien elle manque.

with source as (
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
        is_multi_year is not null as has_term,
        amount_requested is not null as has_requested
    from applications
    where is_counted and is_award and is_grant
),
grouped as (  -- at most 2^10 cells by year: cheaper to lay out than the lines
    select * exclude (amount), count(*) as n_lines, sum(amount) as amount
    from source
    group by all
),
laid_out as (
    unpivot grouped
    on has_service as service, has_scheme as scheme, has_theme as theme, has_purpose as purpose, has_aid_form as aid_form, has_seat as seat, has_action as action, has_identifier as identifier, has_term as term, has_requested as requested
    into name information value is_present
),
final as (
    select
        funder_id,
        fiscal_year,
        currency,
        stage,
        information,
        sum(n_lines)::integer as n_lines,
        coalesce(sum(n_lines) filter (not is_present), 0)::integer as n_missing,
        sum(amount) as amount,
        coalesce(sum(amount) filter (not is_present), 0)::decimal(18, 2) as amount_missing,
        1 - ratio(coalesce(sum(n_lines) filter (not is_present), 0), sum(n_lines)) as known_share
    from laid_out
    group by funder_id, fiscal_year, currency, stage, information
)
select * from final order by funder_id, fiscal_year, currency, stage, information;
