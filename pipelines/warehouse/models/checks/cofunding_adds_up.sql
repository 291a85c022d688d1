-- Les montants des tables de cofinancement sont ceux des lignes : chaque ligne y est une fois par autre financeur, et une fois par niveau d'autre financeur.
-- blocking: yes

with lines as (
    select * from cofunded_lines where award_project_id is not null
),
met as (
    select
        mine.line_id, mine.currency, mine.stage, mine.amount_headline,
        count(distinct others.funder_id) as n_funders,
        count(distinct others.funder_level) as n_levels
    from lines as mine
    join lines as others on mine.award_project_id = others.award_project_id and mine.funder_id <> others.funder_id
    group by all
),
expected as (
    select
        currency, stage,
        coalesce(sum(amount_headline * n_funders), 0) as by_funder,
        coalesce(sum(amount_headline * n_levels), 0) as by_level
    from met
    group by all
),
funder_pairs as (
    select currency, stage, coalesce(sum(amount), 0) as amount from cofunding_by_funder_pair_year group by all
),
level_pairs as (
    select currency, stage, coalesce(sum(amount), 0) as amount from cofunding_by_level_pair_year group by all
)
select 'montants' as what, currency, stage, by_funder, funder_pairs.amount as amount_by_funder, by_level, level_pairs.amount as amount_by_level
from expected
full join funder_pairs using (currency, stage)
full join level_pairs using (currency, stage)
where by_funder is distinct from funder_pairs.amount or by_level is distinct from level_pairs.amount
union all
select 'projets' as what, a.currency, a.stage, a.n_projects, b.n_projects, null as by_level, null as amount_by_level
from (select funder_id, other_funder_id, sum(n_awards) as n_awards, null as currency, null as stage, count(*) as n_projects from cofunding_by_funder_pair_year group by all) as a
left join (select funder_id, other_funder_id, count(*) as n_projects from cofunding_by_funder_pair_year group by all) as b
    on a.funder_id = b.other_funder_id and a.other_funder_id = b.funder_id
where b.n_projects is null
union all
select 'attributions' as what, null as currency, null as stage, n_awards, n_cofunded, null as by_level, null as amount_by_level
from cofunding_by_funder_year
where n_cofunded > n_awards or n_comparable > n_awards or n_cofunded_stated > n_cofunded or n_cofunded > n_comparable;
