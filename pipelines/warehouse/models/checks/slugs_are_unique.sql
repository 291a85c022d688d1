-- Deux financeurs ou deux services n'ont jamais la même adresse de page.
-- blocking: yes

select 'funders' as model, slug, count(*) as n from funders group by slug having count(*) > 1
union all
select 'services' as model, slug, count(*) as n from services group by slug having count(*) > 1;
