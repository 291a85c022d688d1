-- Part des attributions de chaque financeur qui vont à un projet cofinancé, et sur combien on peut le savoir, par nature de l'organisme.
-- comparable : demandeur identifié, titre qui nomme un projet (ou identifiant de cofinancement), exercice où un autre financeur a des données.

with source as (
    select
        applications.application_id, applications.funder_id, applications.fiscal_year, applications.line_id,
        applications.title, applications.applicant_name, applications.is_only_line, organisations.kind,
        is_identified(applications.organisation_id) as is_identified,
        applications.cofunding_id is not null as has_id
    from applications
    join organisations using (organisation_id)
    where applications.is_counted and applications.is_award and applications.is_grant
),
names as (
    select applicant_name, array_to_string(title_words(applicant_name), ' ') as name_line from (select distinct applicant_name from source)
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
        source.application_id,
        source.is_only_line,
        (
            source.is_identified and years.has_several
            and (source.has_id or coalesce(not is_borne(titles.own_line, names.name_line), false))
        ) or linked.line_id is not null as is_comparable,
        linked.line_id is not null as is_cofunded,
        coalesce(linked.evidence = 'stated', false) as is_stated
    from source
    join years using (fiscal_year)
    join names on source.applicant_name is not distinct from names.applicant_name
    left join project_titles as titles on source.title = titles.title
    left join linked using (line_id)
),
awards as (
    select funder_id, fiscal_year, kind, is_comparable, is_cofunded, is_stated from lines where is_only_line
    union all
    select
        funder_id, fiscal_year, kind, bool_or(is_comparable) as is_comparable, bool_or(is_cofunded) as is_cofunded,
        bool_or(is_stated) as is_stated
    from lines
    where not is_only_line
    group by funder_id, fiscal_year, kind, application_id
),
final as (
    select
        funder_id,
        fiscal_year,
        kind,
        count(*)::integer as n_awards,
        count(*) filter (is_comparable)::integer as n_comparable,
        count(*) filter (is_cofunded)::integer as n_cofunded,
        count(*) filter (is_stated)::integer as n_cofunded_stated
    from awards
    group by funder_id, fiscal_year, kind
)
select * from final order by funder_id, fiscal_year, kind;
