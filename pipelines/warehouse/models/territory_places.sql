-- Lieux tels que les fichiers les écrivent, chacun avec le territoire retenu, la règle qui l'a trouvé et ce qui la contredit.
-- seat : siège du demandeur ; action : lieu de l'action ; area : compétence d'un service ou d'un appel à projets. Jamais mêlés. Réservé aux analystes.

with source as (
    select lines.*, authority_siren(applicant_siren, applicant_siret) as authority_siren
    from staged_applications as lines
    join deposits using (deposit_id)
    where deposits.status = 'accepted' and deposits.is_current
),
stated as (
    select distinct
        'seat' as role, null::text as stated_level, seat_commune_code as stated_code, seat_postcode as stated_postcode,
        seat_commune_name as stated_name, authority_siren
    from source
    union all
    select distinct
        'action' as role, action_territory_level as stated_level, action_territory_code as stated_code,
        null::text as stated_postcode, action_territory_name as stated_name, null::text as authority_siren
    from source
    union all
    select 'area' as role, stated_level, stated_code, null::text as stated_postcode, stated_name, null::text as authority_siren
    from (
        select area_level as stated_level, area_code as stated_code, area_name as stated_name from service_lines
        union
        select area_level as stated_level, area_code as stated_code, area_name as stated_name from call_lines
    )
),
numbered as (
    select
        row_number() over (order by role, stated_level, stated_code, stated_postcode, stated_name, authority_siren) as place,
        *,
        coalesce(stated_level, if(role = 'seat', 'commune', 'any')) as level_read,
        upper(regexp_replace(stated_code, '\s', '', 'g')) as code
    from stated
),
folded_names as (  -- each spelling once
    select
        stated_name,
        folded_place(regexp_replace(stated_name, '\(\d.\d?\)\s*$', '')) as folded,
        nullif(upper(regexp_extract(stated_name, '\((\d[\dABab]\d?)\)\s*$', 1)), '') as name_departement
    from (select distinct stated_name from numbered where stated_name is not null)
),
place as (
    select
        numbered.* exclude (code),
        if(level_read in ('commune', 'any'), regexp_replace(code, '^(\d{4})$', '0\1'), null) as commune_code,
        if(level_read in ('departement', 'any'), regexp_replace(regexp_replace(regexp_replace(
            code, '^(\d)$', '0\1'), '^0(\d\d|2[AB])$', '\1'), '^20([AB])$', '2\1'), null) as departement_code,
        if(level_read in ('region', 'any'), regexp_replace(code, '^(\d)$', '0\1'), null) as region_code,
        if(role = 'seat', authority_siren, if(length(code) = 9, code, null)) as siren,
        stated_postcode as postcode,
        folded_names.folded,
        folded_names.name_departement
    from numbered
    left join folded_names using (stated_name)
),
commune_codes as (
    select code, code as current_code, true as is_current from reference_communes
    union all
    select distinct former.code, former.current_code, false as is_current
    from reference_former_communes as former
    anti join reference_communes as communes on former.code = communes.code
),
postcodes as (
    select unnest(string_split(postcodes, ' ')) as postcode, code as commune_code, departement_code from reference_communes
),
postcode_departements as (  -- of the communes it delivers; a CEDEX code is in no list, its first digits say where it is
    select distinct postcode, departement_code, true as is_listed from postcodes
    union all
    select distinct place.postcode, departements.code as departement_code, false as is_listed
    from place
    join reference_departements as departements on departement_of(null, place.postcode) = departements.code
    anti join postcodes on place.postcode = postcodes.postcode
),
commune_places as (
    select
        place.place, place.folded, place.postcode, coalesce(departements.departement_code, place.name_departement) as departement_code
    from place
    left join postcode_departements as departements using (postcode)
    where level_read in ('commune', 'any') and folded is not null
),
by_name as (  -- a current name comes before a former one
    select commune_places.*, names.code, names.is_current
    from commune_places
    join territory_names as names
        on commune_places.folded = names.folded
        and names.level = 'commune'
        and (commune_places.departement_code = names.departement_code or commune_places.postcode is not null)
),
label_places as (  -- each side of a join is folded by itself: an expression on both compares every place with every name
    select
        place, level_read, folded_epci(stated_name) as epci_folded,
        regexp_replace(slug(stated_name), '^(departement|region)-((de-la|de-l|du|des|de|d)-)?', '') as label_folded
    from place
    where role <> 'seat' and level_read <> 'commune'
),
found as (
    select
        place, 1.0 as priority, 'commune' as level, current_code as code,
        case
            when not is_current then 'commune_code_former'
            when place.commune_code = upper(trim(place.stated_code)) then 'commune_code'
            else 'commune_code_repaired'
        end as rule
    from place
    join commune_codes on place.commune_code = commune_codes.code
    union all
    select place, 1.0 as priority, 'departement' as level, place.departement_code as code, 'departement_code' as rule
    from place
    semi join reference_departements as departements on place.departement_code = departements.code
    union all
    select place, 1.0 as priority, 'region' as level, region_code as code, 'region_code' as rule
    from place
    semi join reference_regions as regions on place.region_code = regions.code
    union all
    select place, if(is_current, 2.0, 2.5) as priority, 'commune' as level, code, 'postcode_name' as rule
    from by_name
    semi join postcodes on by_name.postcode = postcodes.postcode and by_name.code = postcodes.commune_code
    union all
    select by_name.place, if(is_current, 3.0, 3.5) as priority, 'commune' as level, by_name.code, 'name_departement' as rule
    from by_name
    join reference_communes as communes on by_name.code = communes.code
    where by_name.departement_code = communes.departement_code
    union all
    select place, 4.0 as priority, 'commune' as level, communes.code, 'siren_commune' as rule
    from place
    join reference_communes as communes using (siren)
    union all
    select place, 4.0 as priority, 'commune' as level, former.current_code as code, 'siren_commune' as rule
    from place
    join reference_former_sirens as former using (siren)
    union all
    select
        place, 4.0 as priority,
        if(epci.current_code is null, 'departement', 'epci') as level,
        coalesce(epci.current_code, epci.departement_codes) as code,
        if(epci.current_code = epci.code or epci.kind = 'EPT', 'siren_epci', 'siren_epci_former') as rule
    from place
    join reference_epci as epci on place.siren = epci.code
    where epci.current_code is not null or epci.departement_codes not like '% %'
    union all
    select place, 4.0 as priority, authorities.level, authorities.code, 'siren_' || authorities.level as rule
    from place
    join reference_authorities as authorities using (siren)
    union all
    select place, 4.0 as priority, 'departement' as level, departements.code, 'siren_departement' as rule
    from place
    join reference_departements as departements
        on place.siren like '22%' and departement_of(place.siren[3:7], null) = departements.code
    union all
    select place, 4.0 as priority, 'region' as level, departements.region_code as code, 'siren_region' as rule
    from place
    join reference_departements as departements
        on place.siren like '23%' and departement_of(place.siren[3:7], null) = departements.code
    union all
    select place, 5.0 as priority, 'commune' as level, postcodes.commune_code as code, 'postcode_commune' as rule
    from place
    join postcodes using (postcode)
    where place.folded is null
    union all
    select place, if(is_current, 6.0, 6.5) as priority, names.level, names.code, 'label' as rule
    from label_places
    join territory_names as names
        on label_places.epci_folded = names.folded and names.level = 'epci' and label_places.level_read in ('epci', 'any')
    union all
    select place, if(is_current, 6.0, 6.5) as priority, names.level, names.code, 'label' as rule
    from label_places
    join territory_names as names
        on label_places.label_folded = names.folded
        and names.level in ('departement', 'region')
        and label_places.level_read in (names.level, 'any')
    union all
    select place, 7.0 as priority, 'departement' as level, postcode_departements.departement_code as code, 'postcode_departement' as rule
    from place
    join postcode_departements using (postcode)
),
by_priority as (
    select place, priority, min(rule) as rule, min(struct_pack(level := level, code := code)) as territory, count(distinct (level, code)) as n
    from found
    group by place, priority
),
chosen as (
    select
        place,
        arg_min(rule, priority) filter (n = 1) as rule,
        arg_min(territory, priority) filter (n = 1) as territory,
        max(n) as n_candidates
    from by_priority
    group by place
),
resolved as (
    select
        place.*,
        case
            when chosen.rule is not null then chosen.rule
            when level_read = 'country' then 'country'
            when chosen.n_candidates > 1 then 'ambiguous'
            when stated_code is not null then 'code_unknown'
            when stated_postcode is not null then 'postcode_unknown'
            when stated_name is not null then 'name_alone'
            when authority_siren is not null then 'siren_unknown'
            else 'none_given'
        end as rule,
        chosen.n_candidates,
        chosen.territory.level as resolved_level,
        chosen.territory.code as resolved_code
    from place
    left join chosen using (place)
),
served as (
    select postcode, list(distinct commune_code) as communes, list(distinct departement_code) as departements
    from (
        select postcode, commune_code, departement_code from postcodes
        union all
        select postcode, null as commune_code, departement_code from postcode_departements where not is_listed
    )
    group by postcode
),
final as (
    select
        role,
        stated_level,
        stated_code,
        stated_postcode,
        stated_name,
        resolved.authority_siren,
        resolved.rule as territory_rule,
        territory.territory_id,
        territory.level,
        territory.commune_code,
        territory.epci_code,
        territory.departement_code,
        territory.region_code,
        case
            when resolved.stated_code is not null and territory.territory_id is not null
                and resolved.rule not like '%\_code%' escape '\' and not (role <> 'seat' and resolved.rule like 'siren%') then 'code'
            when resolved.rule like 'commune\_code%' escape '\' and served.departements is not null then case
                when not list_contains(served.departements, territory.departement_code) then 'departement'
                when served.communes[1] is not null and not list_contains(served.communes, territory.commune_code) then 'postcode'
            end
        end as territory_conflict,
        coalesce(resolved.n_candidates, 0)::integer as n_candidates
    from resolved
    left join territory_reference as territory
        on resolved.resolved_level = territory.level and resolved.resolved_code = territory.code
    left join served on resolved.stated_postcode = served.postcode
)
select * from final order by role, stated_level, stated_code, stated_postcode, stated_name, authority_siren;
