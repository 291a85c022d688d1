-- Organismes qui ont demandé : un par SIREN, sinon par numéro RNA, numéro local du financeur ou nom. Réservé aux analystes.

with source as (
    select
        organisation_id, applicant_name, applicant_siren, applicant_siret, applicant_rna, applicant_local_id, applicant_kind,
        seat_departement_code, seat_commune_name, fiscal_year
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
        coalesce(max(applicant_siren), left(max(applicant_siret), 9)) as siren,
        max(row(fiscal_year, applicant_siret)) filter (applicant_siret is not null) as latest_siret,
        max(applicant_rna) as rna,
        max(applicant_local_id) as local_id,
        bool_or(applicant_kind = 'natural') as is_natural_somewhere,
        bool_or(applicant_kind = 'legal') as is_legal_somewhere,
        bool_and(applicant_kind = 'legal') as is_legal_everywhere,
        max(struct_pack(y := fiscal_year, code := seat_departement_code)) filter (seat_departement_code is not null) as latest_seat,
        max(struct_pack(y := fiscal_year, name := seat_commune_name)) filter (seat_commune_name is not null) as latest_commune
    from source
    group by organisation_id
),
final as (
    select
        organisation_id,
        coalesce(left(slug(names.name), 60) || '-', '')
            || coalesce(totals.siren, lower(totals.rna), left(md5(organisation_id), 8)) as slug,
        names.name,
        names.names,
        totals.siren,
        totals.latest_siret[2] as siret_last,
        totals.rna,
        totals.local_id,
        -- a doubt on any line keeps the whole organisation out of nominative tables
        case
            when totals.is_natural_somewhere then 'natural'
            when totals.is_legal_everywhere then 'legal'
            when totals.is_legal_somewhere and (totals.siren is not null or totals.rna is not null) then 'legal'
            else 'unknown'
        end as kind,
        totals.latest_seat.code as departement_code,
        totals.latest_commune.name as commune_name
    from totals
    left join names using (organisation_id)
)
select * from final order by organisation_id;
