-- Organismes qui ont demandé : un par identité reconnue (identifiants réunis, décisions, noms). Réservé aux analystes.

with source as (
    select
        organisation_id, applicant_name, applicant_siren, applicant_siret, applicant_rna, applicant_local_id, applicant_kind,
        applicant_kind_basis, seat_departement_code, seat_commune_code, seat_commune_name, fiscal_year,
        coalesce(applicant_siren, left(applicant_siret, 9), applicant_rna) as identifier
    from applications
    where is_counted
),
name_counts as (
    select organisation_id, applicant_name, count(*) as n from source where applicant_name is not null group by all
),
names as (
    select
        organisation_id,
        arg_min(applicant_name, row(-n, applicant_name)) as name,
        list(applicant_name order by n desc, applicant_name) as names
    from name_counts
    group by organisation_id
),
totals as (
    select
        organisation_id,
        max(row(fiscal_year, applicant_siret)) filter (applicant_siret is not null) as latest_siret,
        bool_or(applicant_kind = 'natural') as is_natural_somewhere,
        bool_or(applicant_kind = 'legal') as is_legal_somewhere,
        bool_and(applicant_kind = 'legal') as is_legal_everywhere,
        -- beside lines of unknown kind: a word of organisations in a name, or one identifier said in two years at least
        -- (a column of numbers shifted by a row gives a person another's, and not the same one twice)
        bool_or(applicant_kind = 'legal' and applicant_kind_basis = 'name') as is_legal_by_name,
        min(fiscal_year) filter (identifier is not null) < max(fiscal_year) filter (identifier is not null)
            and min(identifier) = max(identifier) as is_identifier_repeated,
        max(struct_pack(y := fiscal_year, code := seat_departement_code)) filter (seat_departement_code is not null) as latest_seat,
        max(struct_pack(y := fiscal_year, code := seat_commune_code)) filter (seat_commune_code is not null) as latest_commune_code,
        max(struct_pack(y := fiscal_year, name := seat_commune_name)) filter (seat_commune_name is not null) as latest_commune
    from source
    group by organisation_id
),
identifiers as (
    select
        organisation_id,
        min(identifier) filter (kind = 'siren') as siren,
        min(identifier) filter (kind = 'rna') as rna,
        min(identifier) filter (kind = 'local') as local_id
    from organisation_identifiers
    group by organisation_id
),
registers as (  -- Sirene first: it tells natural persons and restricted diffusion
    select
        organisation_id,
        arg_min(legal_name, row(register != 'sirene', organisation_key)) as legal_name,
        arg_min(legal_category, row(register != 'sirene', organisation_key)) as legal_category,
        arg_min(is_active, row(register != 'sirene', organisation_key)) as is_active,
        arg_min(seat_commune_code, row(register != 'sirene', organisation_key)) as commune_code,
        bool_or(is_natural) as is_natural,
        bool_or(is_restricted) as is_restricted
    from organisation_register
    group by organisation_id
),
unidentified as (
    select distinct organisation_id, slug(applicant_name) as name_slug, applicant_kind
    from (
        select distinct organisation_id, applicant_name, applicant_kind from applications where is_counted and organisation_key like 'name:%'
    )
),
doubts as (  -- a name of unknown kind that looks like none of the legal person's, or one that another file does not call legal
    select organisation_id from resolved_doubts
    union
    select named.organisation_id
    from unidentified as named
    join unidentified as others using (name_slug)
    where others.applicant_kind is distinct from 'legal'
),
kinds as (
    select
        organisation_id,
        -- a doubt on any line keeps the whole organisation out of nominative tables
        case
            when registers.is_natural then struct_pack(kind := 'natural', basis := 'register')
            when totals.is_natural_somewhere then struct_pack(kind := 'natural', basis := 'lines')
            when registers.is_restricted then struct_pack(kind := 'unknown', basis := 'restricted')
            when doubts.organisation_id is not null then struct_pack(kind := 'unknown', basis := 'doubt')
            when totals.is_legal_everywhere then struct_pack(kind := 'legal', basis := 'lines')
            when totals.is_legal_somewhere and coalesce(identifiers.siren, identifiers.rna) is not null
                and (totals.is_legal_by_name or totals.is_identifier_repeated or registers.legal_category is not null)
                then struct_pack(kind := 'legal', basis := 'identifier')
            else struct_pack(kind := 'unknown', basis := 'doubt')
        end as found
    from totals
    left join identifiers using (organisation_id)
    left join registers using (organisation_id)
    left join doubts using (organisation_id)
),
final as (
    select
        organisation_id,
        coalesce(left(slug(names.name), 60) || '-', '')
            || coalesce(identifiers.siren, lower(identifiers.rna), left(md5(organisation_id), 8)) as slug,
        names.name,
        names.names,
        registers.legal_name,
        identifiers.siren,
        totals.latest_siret[2] as siret_last,
        identifiers.rna,
        identifiers.local_id,
        kinds.found.kind as kind,
        kinds.found.basis as kind_basis,
        registers.legal_category,
        registers.is_active,
        coalesce(communes.departement_code, totals.latest_seat.code) as departement_code,
        coalesce(registers.commune_code, totals.latest_commune_code.code) as commune_code,
        coalesce(communes.name, totals.latest_commune.name) as commune_name,
        case
            when registers.commune_code is not null then 'register'
            when coalesce(totals.latest_seat.code, totals.latest_commune.name) is not null then 'lines'
        end as seat_basis
    from totals
    join kinds using (organisation_id)
    left join names using (organisation_id)
    left join identifiers using (organisation_id)
    left join registers using (organisation_id)
    left join reference_communes as communes on registers.commune_code = communes.code
)
select * from final order by organisation_id;
