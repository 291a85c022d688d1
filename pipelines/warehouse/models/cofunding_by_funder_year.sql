-- Part des attributions de chaque financeur qui vont à un projet cofinancé, et sur combien on peut le savoir, par nature de l'organisme.
-- comparable : demandeur identifié, titre qui nomme un projet (ou identifiant de cofinancement), exercice où un autre financeur a des données.

with source as (
    select
        applications.application_id, applications.funder_id, applications.fiscal_year, applications.line_id,
        applications.title, applications.applicant_name, organisations.kind,
        split_part(applications.organisation_id, ':', 1) not in ('line', 'case', 'raw') as is_identified,
        applications.cofunding_id is not null as has_id
    from applications
    join organisations using (organisation_id)
    where applications.is_counted and applications.is_award and applications.is_grant
),
titles as (
    select title, applicant_name, not names_no_project(title_words(title), title_words(applicant_name)) as is_telling
    from (select distinct title, applicant_name from source where title is not null)
),
years as (
    select fiscal_year, count(distinct funder_id) > 1 as has_several from source group by fiscal_year
),
projects as (
    select award_project_id, if(bool_or(award_basis = 'title'), 'probable', 'stated') as evidence
    from cofunded_lines
    where award_project_id is not null
    group by award_project_id
),
linked as (
    select lines.line_id, projects.evidence from cofunded_lines as lines join projects using (award_project_id)
),
final as (
    select
        source.funder_id,
        source.fiscal_year,
        source.kind,
        count(distinct source.application_id)::integer as n_awards,
        count(distinct source.application_id) filter (
            (source.is_identified and (source.has_id or coalesce(titles.is_telling, false)) and years.has_several)
                or linked.line_id is not null
        )::integer as n_comparable,
        count(distinct source.application_id) filter (linked.line_id is not null)::integer as n_cofunded,
        count(distinct source.application_id) filter (linked.evidence = 'stated')::integer as n_cofunded_stated
    from source
    join years using (fiscal_year)
    left join titles on source.title = titles.title and source.applicant_name is not distinct from titles.applicant_name
    left join linked using (line_id)
    group by all
)
select * from final order by funder_id, fiscal_year, kind;
