-- Quels niveaux financent ensemble : les projets auxquels un financeur de chaque niveau a accordé une subvention, et ce que le premier niveau y a mis.
-- Chaque paire y est deux fois, une par niveau ; deux financeurs d'un même niveau font une seule ligne. Un projet compte une fois par étape et monnaie. Les refus n'y sont pas.

with source as (
    select * from cofunded_lines where award_project_id is not null
),
projects as (
    select award_project_id, if(bool_or(award_basis = 'title'), 'probable', 'stated') as evidence from source group by award_project_id
),
funders_of as (
    select distinct award_project_id, funder_id, funder_level as other_level from source
),
met as (  -- each line once for each level met, whatever the number of its funders
    select distinct source.*, others.other_level
    from source
    join funders_of as others on source.award_project_id = others.award_project_id and source.funder_id <> others.funder_id
),
final as (
    select
        met.funder_level,
        met.other_level,
        met.fiscal_year,
        projects.evidence,
        met.currency,
        met.stage,
        count(distinct met.award_project_id)::integer as n_projects,
        count(distinct met.application_id)::integer as n_awards,
        sum(met.amount_headline) as amount,
        count(*) filter (met.amount_headline is null)::integer as n_without_amount
    from met
    join projects using (award_project_id)
    group by all
)
select * from final order by funder_level, other_level, fiscal_year, evidence, currency, stage;
