-- Part des attributions de chaque financeur qui vont à un projet cofinancé, et sur combien on peut le savoir, par nature de l'organisme.
-- comparable : demandeur identifié, titre qui nomme un projet (ou identifiant de cofinancement), exercice où un autre financeur a des données.

with source as not materialized (  -- read for each: held whole, five million lines would fill the memory
    select
        applications.application_id, applications.funder_id, applications.fiscal_year, applications.line_id,
        applications.title, applications.applicant_name, applications.is_only_line, organisations.kind,
        is_identified(applications.organisation_id) as is_identified,
        applications.cofunding_id is not null as has_id
    from applications
    join organisations using (organisation_id)
    where applications.is_counted and applications.is_award and applications.is_grant
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
lines as (
    select
        source.funder_id,
        source.fiscal_year,
        source.kind,
        if(source.is_only_line, null, source.application_id) as shared_id,
        (
            source.is_identified and years.has_several
            and (source.has_id or not is_borne(titles.own_line, names.name_line))
        ) or linked.line_id is not null as is_comparable,
        linked.line_id is not null as is_cofunded,
        coalesce(linked.evidence = 'stated', false) as is_stated
    from source
    join years using (fiscal_year)
    join applicant_names as names on source.applicant_name is not distinct from names.applicant_name
    join project_titles as titles on source.title is not distinct from titles.title
    left join linked using (line_id)
),
awards as (  -- the lines of one application are one award; those that are alone are counted at once
    select
        funder_id, fiscal_year, kind, shared_id,
        count(*) as n,
        count(*) filter (is_comparable) as n_comparable,
        count(*) filter (is_cofunded) as n_cofunded,
        count(*) filter (is_stated) as n_stated
    from lines
    group by all
),
final as (
    select
        funder_id,
        fiscal_year,
        kind,
        sum(if(shared_id is null, n, 1))::integer as n_awards,
        sum(if(shared_id is null, n_comparable, least(n_comparable, 1)))::integer as n_comparable,
        sum(if(shared_id is null, n_cofunded, least(n_cofunded, 1)))::integer as n_cofunded,
        sum(if(shared_id is null, n_stated, least(n_stated, 1)))::integer as n_cofunded_stated
    from awards
    group by funder_id, fiscal_year, kind
)
select * from final order by funder_id, fiscal_year, kind;
