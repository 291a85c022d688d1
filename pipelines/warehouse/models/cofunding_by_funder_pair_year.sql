-- Qui finance avec qui : pour un financeur et un autre, les projets auxquels les deux ont accordé une subvention, et ce que le premier y a mis.
-- Chaque paire y est deux fois, une par financeur. Un projet compte une fois par étape et monnaie de ses montants. Les refus n'y sont pas.

with source as (
    select * from cofunded_lines where award_project_id is not null
),
projects as (
    select award_project_id, if(bool_or(award_basis = 'title'), 'probable', 'stated') as evidence from source group by award_project_id
),
funders_of as (
    select distinct award_project_id, funder_id as other_funder_id from source
),
final as (
    select
        source.funder_id,
        others.other_funder_id,
        source.fiscal_year,
        projects.evidence,
        source.currency,
        source.stage,
        count(distinct source.award_project_id)::integer as n_projects,
        count(distinct source.application_id)::integer as n_awards,
        sum(source.amount_headline) as amount,
        count(*) filter (source.amount_headline is null)::integer as n_without_amount
    from source
    join projects using (award_project_id)
    join funders_of as others on source.award_project_id = others.award_project_id and source.funder_id <> others.other_funder_id
    group by all
)
select * from final order by funder_id, other_funder_id, fiscal_year, evidence, currency, stage;
