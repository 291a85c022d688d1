-- Qui finance quel thème, où : subventions par financeur, thème, département du siège du bénéficiaire et exercice.
-- « unknown » quand rien ne dit le thème, « — » quand le fichier ne dit pas le siège. unknown_theme_share dit ce qui manque.

with source as (
    select * from applications where is_counted and is_award
),
renamed as (
    select
        funder_id,
        theme,
        coalesce(seat_departement_code, '—') as departement_code,
        fiscal_year,
        currency,
        stage,
        application_id,
        is_only_line,
        organisation_id,
        amount_headline as amount,
        is_grant
    from source
),
grouped as (
    select
        funder_id,
        theme,
        departement_code,
        fiscal_year,
        currency,
        stage,
        n_applications(application_id, is_only_line, is_grant) as n_awards,
        count(*) filter (is_grant)::integer as n_lines,
        sum(amount) filter (is_grant) as amount,
        count(*) filter (is_grant and amount is null)::integer as n_without_amount,
        count(distinct organisation_id) filter (is_grant)::integer as n_beneficiaries,
        count(*) filter (not is_grant)::integer as n_loans_excluded
    from renamed
    group by funder_id, theme, departement_code, fiscal_year, currency, stage
),
final as (
    select
        *,
        ratio(coalesce(sum(n_lines) filter (theme = 'unknown') over place, 0), sum(n_lines) over place) as unknown_theme_share
    from grouped
    window place as (partition by funder_id, departement_code, fiscal_year, currency, stage)
)
select * from final order by funder_id, theme, departement_code, fiscal_year, currency, stage;
