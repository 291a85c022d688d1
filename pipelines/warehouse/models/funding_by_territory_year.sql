-- Subventions par département du siège du bénéficiaire, financeur et exercice ; « — » quand le fichier ne dit pas le siège.

with source as (
    select * from applications where is_counted and is_award
),
renamed as (
    select
        coalesce(seat_departement_code, '—') as departement_code,
        funder_id,
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
        departement_code,
        funder_id,
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
    group by departement_code, funder_id, fiscal_year, currency, stage
),
final as (
    select
        grouped.*,
        territory.population,
        per_inhabitant(amount, territory.population) as amount_per_inhabitant
    from grouped
    left join territory_reference as territory on territory.level = 'departement' and grouped.departement_code = territory.code
)
select * from final order by departement_code, funder_id, fiscal_year, currency, stage;
