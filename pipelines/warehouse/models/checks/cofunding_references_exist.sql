-- Chaque ligne cofinancée est une ligne comptée, telle qu'elle est, d'un financeur et d'un organisme connus ; chaque projet a ses lignes.
-- blocking: yes

select 'line' as what, lines.line_id as key
from cofunded_lines as lines
left join applications using (line_id)
left join funders on lines.funder_id = funders.funder_id
left join organisations on lines.organisation_id = organisations.organisation_id
left join cofunded_projects as projects using (project_id)
where not coalesce(applications.is_counted, false)
    or applications.funder_id <> lines.funder_id
    or applications.amount_headline is distinct from lines.amount_headline
    or funders.funder_id is null or organisations.organisation_id is null or projects.project_id is null
union all
select 'project' as what, project_id as key
from cofunded_projects
anti join cofunded_lines using (project_id)
union all
select 'mention' as what, line_id as key
from cofunding_mentions
where cofunder_id = funder_id or (cofunder_id is not null and cofunder_id not in (select funder_id from applications));
