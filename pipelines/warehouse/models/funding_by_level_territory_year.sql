-- Part de chaque niveau (Europe, État, région, département, bloc communal, CAF, MSA) dans les subventions d'un département et d'un exercice, d'après le siège du bénéficiaire.
-- D'après les seuls financeurs dont les données sont là (n_funders) : un niveau absent n'est pas un niveau qui ne finance pas. Étapes et monnaies à part.

with source as (
    select * from applications where is_counted and is_award
),
grouped as (
    select
        coalesce(seat_departement_code, '—') as departement_code,
        level_group(funder_level) as level_group,
        fiscal_year,
        currency,
        stage,
        count(distinct funder_id)::integer as n_funders,
        n_applications(application_id, is_only_line, is_grant) as n_awards,
        count(*) filter (is_grant)::integer as n_lines,
        sum(amount_headline) filter (is_grant) as amount,
        count(*) filter (is_grant and amount_headline is null)::integer as n_without_amount,
        count(distinct organisation_id) filter (is_grant)::integer as n_beneficiaries,
        count(*) filter (not is_grant)::integer as n_loans_excluded
    from source
    group by all
),
final as (
    select
        grouped.*,
        ratio(grouped.amount, sum(grouped.amount) over cell) as level_share,
        territory.population,
        per_inhabitant(grouped.amount, territory.population) as amount_per_inhabitant
    from grouped
    left join territory_reference as territory on territory.level = 'departement' and grouped.departement_code = territory.code
    window cell as (partition by grouped.departement_code, grouped.fiscal_year, grouped.currency, grouped.stage)
)
select * from final order by departement_code, level_group, fiscal_year, currency, stage;
