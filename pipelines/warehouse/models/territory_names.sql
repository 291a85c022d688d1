-- Noms simplifiés des communes (actuelles, déléguées, associées, anciennes), intercommunalités, départements et régions.

with communes as (
    select name, code, true as is_current from reference_communes
    union all
    select name, current_code as code, false as is_current from reference_former_communes
),
commune_names as (
    select folded_place(name) as folded, 'commune' as level, code, max(is_current) as is_current from communes group by all
),
epci_names as (  -- several vintages spell one EPCI in several ways; public territorial establishments are no EPCI
    select folded_epci(name) as folded, 'epci' as level, current_code as code, max(code = current_code) as is_current
    from reference_epci
    where current_code is not null and kind <> 'EPT'
    group by all
),
others as (  -- « Martinique », when the level is not told, is the département: its region follows
    select slug(name) as folded, 'departement' as level, code, true as is_current from reference_departements
    union all
    select slug(name) as folded, 'region' as level, code, name not in (select name from reference_departements) as is_current
    from reference_regions
),
together as (
    select * from commune_names union all select * from epci_names union all select * from others
),
final as (
    select
        folded,
        together.level,
        together.code,
        is_current,
        territory.departement_code
    from together
    join territory_reference as territory on together.level = territory.level and together.code = territory.code
    where folded is not null
)
select * from final order by folded, level, code;
