-- Quels niveaux financent ensemble : les projets auxquels un financeur de chaque niveau a accordé une subvention, et ce que le premier niveau y a mis.
-- Chaque paire y est deux fois, une par niveau ; deux financeurs d'un même niveau font une seule ligne. Un projet compte une fois par étape et monnaie. D'après les seules attributions à des personnes morales.

with source as (
    select * from cofunded_lines
),
projects as (
    select project_id, evidence from cofunded_projects
),
funders_of as (
    select distinct project_id, funder_id, funder_level as other_level from source
),
met as (  -- each line once for each level met, whatever the number of its funders
    select distinct source.*, others.other_level
    from source
    join funders_of as others on source.project_id = others.project_id and source.funder_id <> others.funder_id
),
final as (
    select
        met.funder_level,
        met.other_level,
        met.fiscal_year,
        projects.evidence,
        met.currency,
        met.stage,
        count(distinct met.project_id)::integer as n_projects,
        count(distinct met.application_id)::integer as n_awards,
        sum(met.amount) as amount,
        count(*) filter (met.amount is null)::integer as n_without_amount
    from met
    join projects using (project_id)
    group by all
)
select * from final order by funder_level, other_level, fiscal_year, evidence, currency, stage;
