-- Qui finance avec qui : pour un financeur et un autre, les projets auxquels les deux ont accordé une subvention, et ce que le premier y a mis.
-- Chaque paire y est deux fois, une par financeur. Un projet compte une fois par étape et monnaie de ses montants. D'après les seules attributions à des personnes morales.

with source as (
    select * from cofunded_lines
),
projects as (
    select project_id, evidence from cofunded_projects
),
funders_of as (
    select distinct project_id, funder_id as other_funder_id from source
),
final as (
    select
        source.funder_id,
        others.other_funder_id,
        source.fiscal_year,
        projects.evidence,
        source.currency,
        source.stage,
        count(distinct source.project_id)::integer as n_projects,
        count(distinct source.application_id)::integer as n_awards,
        sum(source.amount) as amount,
        count(*) filter (source.amount is null)::integer as n_without_amount
    from source
    join projects using (project_id)
    join funders_of as others on source.project_id = others.project_id and source.funder_id <> others.other_funder_id
    group by all
)
select * from final order by funder_id, other_funder_id, fiscal_year, evidence, currency, stage;
