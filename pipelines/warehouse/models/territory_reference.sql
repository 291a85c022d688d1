-- Communes, intercommunalités, départements et régions du code officiel géographique, chacun avec ceux qui le contiennent.

with communes as (
    select
        'commune' as level,
        communes.code,
        communes.name,
        communes.code as commune_code,
        communes.epci_code,
        communes.departement_code,
        departements.region_code,
        communes.population
    from reference_communes as communes
    join reference_departements as departements on communes.departement_code = departements.code
),
epci as (  -- across two départements: neither is its own
    select
        'epci' as level,
        epci.code,
        epci.name,
        null::text as commune_code,
        epci.code as epci_code,
        if(count(distinct communes.departement_code) = 1, min(communes.departement_code), null) as departement_code,
        if(count(distinct communes.region_code) = 1, min(communes.region_code), null) as region_code,
        any_value(epci.population) as population
    from reference_epci as epci
    join communes on epci.code = communes.epci_code
    group by epci.code, epci.name
),
departements as (
    select
        'departement' as level, code, name, null::text as commune_code, null::text as epci_code, code as departement_code,
        region_code, population
    from reference_departements
),
regions as (
    select
        'region' as level, code, name, null::text as commune_code, null::text as epci_code, null::text as departement_code,
        code as region_code, population
    from reference_regions
),
together as (
    select * from communes union all select * from epci union all select * from departements union all select * from regions
),
final as (
    select
        level || ':' || code as territory_id,
        level,
        code,
        name,
        case
            when level in ('commune', 'epci') and departement_code is not null then 'departement:' || departement_code
            when level in ('epci', 'departement') and region_code is not null then 'region:' || region_code
        end as parent_id,
        commune_code,
        epci_code,
        departement_code,
        region_code,
        population::integer as population,
        vintage.year::integer as vintage
    from together
    cross join reference_vintage as vintage
)
select * from final order by territory_id;
