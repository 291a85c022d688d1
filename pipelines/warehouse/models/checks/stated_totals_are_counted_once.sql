-- Un total énoncé n'est compté qu'une fois par cellule et par mesure.
-- blocking: yes

select funder_id, service_key, scheme, call_id, territory_level, territory_key, fiscal_year, measure, currency, count(*) as n
from stated_totals
where is_counted
group by all
having count(*) > 1;
