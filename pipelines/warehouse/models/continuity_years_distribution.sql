-- Bénéficiaires par nombre d'années financées, pour chaque financeur.
-- Les SIRET valides sont comptés à part : une organisation peut avoir plusieurs établissements, ou aucun SIRET lisible.

with source as (
    select funding_years.*
    from funding_years
    semi join observed_years using (funder_id, fiscal_year)
),
organisations_years as (
    select funder_id, organisation_id, count(distinct fiscal_year)::integer as years_funded from funded_years group by funder_id, organisation_id
),
sirets_years as (
    select funder_id, applicant_siret, count(distinct fiscal_year)::integer as years_funded
    from source
    where amount > 0 and applicant_siret is not null
    group by funder_id, applicant_siret
),
both_counts as (
    select funder_id, years_funded, 1 as is_organisation, 0 as is_siret from organisations_years
    union all
    select funder_id, years_funded, 0, 1 from sirets_years
),
final as (
    select funder_id, years_funded, sum(is_organisation)::integer as n_beneficiaries, sum(is_siret)::integer as n_beneficiaries_valid_siret
    from both_counts
    group by funder_id, years_funded
)
select * from final order by funder_id, years_funded;
