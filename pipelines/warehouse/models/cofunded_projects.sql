-- Projets cofinancés : un par demandeur, exercice et projet, demandé à au moins deux financeurs, avec ce que chacun a décidé. Réservé aux analystes.
-- evidence : stated, un identifiant commun ou un cofinanceur nommé relie toutes les lignes ; probable, une au moins n'est reliée que par son titre.

with source as (
    select * from cofunded_lines
),
titles as (
    select project_id, arg_min(title, row(-n, title)) as title
    from (select project_id, title, count(*) as n from source where title is not null group by all)
    group by project_id
),
amounts as (
    select project_id, currency, stage, sum(amount_headline) as amount, count(distinct application_id) as n
    from source
    where is_award
    group by all
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
        min(organisation_id) as organisation_id,
        count(distinct organisation_id)::integer as n_beneficiaries,
        min(fiscal_year) as fiscal_year,
        min(cofunding_id) as cofunding_id,
        if(count(distinct purpose) = 1, min(purpose), null) as purpose,
        case max(case basis when 'shared_id' then 1 when 'named' then 2 else 3 end)
            when 1 then 'shared_id' when 2 then 'named' else 'title'
        end as basis,
        min(likeness) as likeness,
        count(*)::integer as n_lines,
        count(distinct application_id)::integer as n_total,
        count(distinct funder_id)::integer as n_funders,
        count(distinct funder_id) filter (is_award)::integer as n_funders_awarding,
        count(distinct application_id) filter (is_award)::integer as n_awarded,
        count(distinct application_id) filter (decision_status = 'refused')::integer as n_refused,
        count(distinct application_id) filter (decision_status = 'inadmissible')::integer as n_inadmissible
    from source
    group by project_id
),
final as (
    select
        project_id,
        totals.organisation_id,
        totals.n_beneficiaries,
        totals.fiscal_year,
        titles.title,
        totals.purpose,
        totals.cofunding_id,
        if(totals.basis = 'title', 'probable', 'stated') as evidence,
        totals.basis,
        totals.likeness,
        totals.n_lines,
        totals.n_total,
        totals.n_funders,
        totals.n_funders_awarding,
        totals.n_awarded,
        totals.n_refused,
        totals.n_inadmissible,
        main_amounts.main.amount as amount,
        main_amounts.main.currency as currency,
        main_amounts.main.stage as stage,
        coalesce(main_amounts.has_other_amounts, false) as has_other_amounts
    from totals
    left join titles using (project_id)
    left join main_amounts using (project_id)
)
select * from final order by project_id;
