-- Subventions par thème de la liste commune et exercice ; « unknown » quand le thème n'est pas connu.

with source as (
    select * from applications where is_counted and is_award
),
renamed as (
    select
        coalesce(theme, 'unknown') as theme,
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
final as (
    select
        theme,
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
    group by theme, fiscal_year, currency, stage
)
select * from final order by theme, fiscal_year, currency, stage;
