-- Chaque territoire de siège ou d'action est dans la table de référence, et chaque lieu a sa règle.
-- blocking: yes

with met as (
    select distinct 'departement' as level, seat_departement_code as code from applications
    union
    select distinct 'departement' as level, action_departement_code as code from applications
    union
    select distinct 'region' as level, seat_region_code as code from applications
    union
    select distinct 'epci' as level, seat_epci_code as code from applications
    union
    select distinct 'commune' as level, seat_commune_code as code from applications
)
select met.level, met.code
from met
anti join territory_reference as reference on met.level = reference.level and met.code = reference.code
where met.code is not null
union all
select 'rule' as level, rule as code
from (
    select distinct seat_territory_rule as rule from applications
    union
    select distinct action_territory_rule as rule from applications
)
where rule is null or rule not in (select code from codelist_territory_rule);
