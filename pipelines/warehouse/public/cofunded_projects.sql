-- Projets que plusieurs financeurs ont aidés le même exercice, d'après leurs seules attributions à des personnes morales.
-- evidence : stated, un identifiant commun ou un cofinanceur nommé relie toutes les attributions ; probable, une au moins n'est reliée que par son titre.

with source as (
    select * from cofunded_lines
),
amounts as (
    select project_id, currency, stage, sum(amount) as amount, count(distinct application_id) as n from source group by all
),
main_amounts as (
    select
        project_id,
        arg_min(struct_pack(amount, currency, stage), row(-n, currency, stage)) as main,
        count(*) > 1 as has_other_amounts
    from amounts
    group by project_id
),
totals as (
    select
        project_id,
        arg_min(struct_pack(organisation_id, beneficiary_name), organisation_id) as beneficiary,
        count(distinct organisation_id)::integer as n_beneficiaries,
        min(fiscal_year) as fiscal_year,
        min(title) as title,
        if(bool_or(basis = 'title'), 'probable', 'stated') as evidence,
        min(likeness) as likeness,
        count(distinct funder_id)::integer as n_funders,
        count(distinct application_id)::integer as n_awards
    from source
    group by project_id
),
final as (
    select
        project_id,
        totals.beneficiary.organisation_id as organisation_id,
        totals.beneficiary.beneficiary_name as beneficiary_name,
        totals.n_beneficiaries,
        totals.fiscal_year,
        totals.title,
        totals.evidence,
        totals.likeness,
        totals.n_funders,
        totals.n_awards,
        main_amounts.main.amount as amount,
        main_amounts.main.currency as currency,
        main_amounts.main.stage as stage,
        main_amounts.has_other_amounts
    from totals
    join main_amounts using (project_id)
)
select * from final order by project_id;
