-- Un projet cofinancé réunit des lignes comptées d'au moins deux financeurs, un même exercice, et chaque ligne n'est que d'un projet.
-- blocking: yes

select 'project' as what, project_id as key, count(distinct funder_id) as n_funders, count(distinct fiscal_year) as n_years
from cofunded_lines
group by project_id
having count(distinct funder_id) < 2 or count(distinct fiscal_year) <> 1
union all
select 'award_project' as what, award_project_id as key, count(distinct funder_id) as n_funders, count(distinct fiscal_year) as n_years
from cofunded_lines
where award_project_id is not null
group by award_project_id
having count(distinct funder_id) < 2 or count(distinct fiscal_year) <> 1 or not bool_and(is_award)
    or count(distinct project_id) <> 1
union all
select 'link' as what, node_id || ' · ' || other_node_id as key, 1 as n_funders, null as n_years
from cofunding_links
where funder_id = other_funder_id
union all
select 'line' as what, line_id as key, null as n_funders, count(*) as n_years from cofunded_lines group by line_id having count(*) > 1;
