-- Bénéficiaires : personnes morales ayant reçu au moins une subvention.
-- Le montant est celui de la monnaie et de l'étape les plus fréquentes du bénéficiaire ; has_other_amounts dit s'il en existe d'autres.

with source as (
    select * from nominative_awards
),
amounts as (
    select organisation_id, currency, stage, sum(amount_headline) as amount, count(distinct application_id) as n
    from source
    group by all
),
main_amounts as (
    select
        organisation_id,
        arg_min(struct_pack(amount, currency, stage), row(-n, currency, stage)) as main,
        sum(n)::integer as n_awards,
        count(*) > 1 as has_other_amounts
    from amounts
    group by organisation_id
),
years as (
    select organisation_id, min(fiscal_year) as first_year, max(fiscal_year) as last_year, count(distinct funder_id)::integer as n_funders
    from source
    group by organisation_id
),
final as (
    select
        organisation_id,
        organisations.slug,
        organisations.name,
        organisations.siren,
        organisations.rna,
        organisations.departement_code,
        organisations.commune_name,
        years.first_year,
        years.last_year,
        coalesce(continuity.years_funded, 0) as years_funded,
        coalesce(continuity.run_current, 0) as run_current,
        coalesce(continuity.run_max, 0) as run_max,
        years.n_funders,
        main_amounts.n_awards,
        main_amounts.main.amount as amount_total,
        main_amounts.main.currency as currency,
        main_amounts.main.stage as stage,
        main_amounts.has_other_amounts
    from main_amounts
    join years using (organisation_id)
    join funding.organisations as organisations using (organisation_id)
    left join funding.continuity_by_beneficiary as continuity using (organisation_id)
)
select * from final order by organisation_id;
