-- Ce que les lignes disent de leurs demandeurs : identifiants, nom, nature et lieu, tels qu'ils se présentent ensemble.
-- C'est de là que partent les rapprochements. Réservé aux analystes.

with told as (  -- what lines say together, each once; what makes a line unique only where nothing else says who asks
    select
        lines.deposit_id, lines.funder_name, lines.funder_siren, lines.applicant_siren, lines.applicant_siret, lines.applicant_rna,
        lines.applicant_local_id, lines.applicant_name, lines.applicant_kind, lines.seat_commune_code, lines.seat_postcode,
        lines.seat_commune_name,
        lines.applicant_siren is null and lines.applicant_siret is null and lines.applicant_rna is null
            and lines.applicant_local_id is null and not coalesce(regexp_matches(lines.applicant_name, '[A-Za-z0-9]'), false) as is_alone,
        if(is_alone, lines.applicant_id_raw, null) as applicant_id_raw,
        if(is_alone, lines.case_number, null) as case_number,
        if(is_alone, lines.line_id, null) as line_id,
        count(*) as n
    from staged_applications as lines
    group by all
),
source as (
    select
        told.*, deposits.depositor, funder_identities.funder_id,
        authority_siren(told.applicant_siren, told.applicant_siret) as authority_siren
    from told
    join deposits using (deposit_id)
    join funder_identities
        on deposits.depositor = funder_identities.depositor
        and told.funder_name = funder_identities.funder_name
        and told.funder_siren is not distinct from funder_identities.funder_siren
    where deposits.status = 'accepted' and deposits.is_current
),
funder_areas as (  -- the département of a local funder; a region or the State says nothing of where an applicant is
    select siren as funder_id, departement_code from reference_communes
    union
    select code as funder_id, departement_codes as departement_code from reference_epci where departement_codes not like '% %'
    union
    select authorities.siren as funder_id, authorities.code as departement_code
    from reference_authorities as authorities
    where authorities.level = 'departement'
    union
    select distinct source.funder_id, departements.code as departement_code
    from source
    join reference_departements as departements
        on source.funder_id like '22_______' and departement_of(source.funder_id[3:7], null) = departements.code
),
areas as (
    select funder_id, min(departement_code) as departement_code from funder_areas group by funder_id having count(*) = 1
),
placed as (
    select
        source.*, seat.commune_code, seat.departement_code,
        areas.departement_code as funder_departement_code
    from source
    left join areas using (funder_id)
    left join territory_places as seat
        on seat.role = 'seat'
        and source.seat_commune_code is not distinct from seat.stated_code
        and source.seat_postcode is not distinct from seat.stated_postcode
        and source.seat_commune_name is not distinct from seat.stated_name
        and source.authority_siren is not distinct from seat.authority_siren
),
final as (
    select
        organisation_key(
            applicant_siren, applicant_siret, applicant_rna, applicant_local_id, applicant_name, commune_code, applicant_id_raw,
            case_number, line_id, funder_id
        ) as organisation_key,
        coalesce(applicant_siren, left(applicant_siret, 9)) as siren,
        applicant_rna as rna,
        applicant_local_id as local_id,
        applicant_name as name,
        coalesce(applicant_kind, 'unknown') as kind,
        funder_id,
        funder_departement_code,
        commune_code,
        departement_code,
        sum(n)::bigint as n_lines
    from placed
    group by all
)
select * from final order by all;
