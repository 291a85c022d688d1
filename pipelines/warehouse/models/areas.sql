-- Territoires de compétence des services et des appels à projets, tels qu'ils sont écrits, chacun avec le territoire retenu et ses départements.

with source as (
    select stated_level, stated_code, stated_name, territory_rule, territory_id
    from territory_places
    where role = 'area'
),
covered as (
    select 'region:' || region_code as territory_id, code as departement_code from reference_departements
    union
    select 'departement:' || code as territory_id, code as departement_code from reference_departements
    union
    select 'epci:' || epci_code as territory_id, departement_code from reference_communes where epci_code is not null
    union
    select 'commune:' || code as territory_id, departement_code from reference_communes
),
departements as (
    select territory_id, string_agg(departement_code, ' ' order by departement_code) as departement_codes
    from covered
    group by territory_id
),
final as (
    select
        stated_level,
        stated_code,
        stated_name,
        territory_rule,
        territory.territory_id as area_id,
        is_national,
        case
            when is_national then 'France entière'
            when territory.name is null then stated_name
            when territory.level = 'departement' then territory.name || ' (' || territory.code || ')'
            else territory.name
        end as area,
        departements.departement_codes
    from (
        select
            *,
            territory_rule = 'country'
                or territory_id is null and coalesce(slug(stated_name) in ('france', 'france-entiere', 'pays', 'national', 'territoire-national'), false)
                as is_national
        from source
    ) as read
    left join territory_reference as territory using (territory_id)
    left join departements using (territory_id)
)
select * from final order by stated_level, stated_code, stated_name;
