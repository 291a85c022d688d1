-- L'annuaire des services : un service d'un financeur par ligne, d'après le dépôt le plus récent qui le décrit.
-- Deux services qui portent le même nom au même moment restent deux lignes (is_claimed_twice).

with source as (
    select
        *,
        coalesce(slug(service_id), slug(service_name), md5(service_name)) as service_ref
    from service_lines
),
latest as (  -- one deposit speaks for a service: the last received
    from source
    qualify dense_rank() over (partition by funder_id, service_ref order by received_at desc, deposit_id desc) = 1
),
grouped as (
    select
        funder_id,
        service_ref,
        min_by(struct_pack(name := service_name, line_id := line_id), row(source_sheet, source_row)) as first_line,
        min(service_id) as service_id,
        min_by(funder_name, row(source_sheet, source_row)) as funder_name,
        min_by(funder_level, row(source_sheet, source_row)) filter (funder_level is not null) as funder_level,
        string_agg(distinct service_variants, ' ; ' order by service_variants) as service_variants,
        min_by(struct_pack(lvl := area_level, code := area_code, name := area_name), row(source_sheet, source_row))
            filter (coalesce(area_level, area_code, area_name) is not null) as area,
        min(valid_from) as valid_from,
        max(valid_to) as valid_to,
        string_agg(distinct predecessors, ' ; ' order by predecessors) as predecessors,
        min_by(calendar, row(source_sheet, source_row)) filter (calendar is not null) as calendar,
        min_by(contact_function, row(source_sheet, source_row)) filter (contact_function is not null) as contact_function,
        min_by(contact_mailbox, row(source_sheet, source_row)) filter (contact_mailbox is not null) as contact_mailbox,
        min_by(url, row(source_sheet, source_row)) filter (url is not null) as url,
        max(reviewed_date) as reviewed_date,
        count(distinct scheme)::integer as n_schemes,
        bool_and(is_demonstration) as is_demonstration
    from latest
    group by funder_id, service_ref
),
named as (
    select
        grouped.* exclude (first_line, area),
        first_line.name as name,
        first_line.line_id as line_id,
        funder_id || '/' || coalesce(slug(first_line.name), '-') as service_key,
        areas.area_id,
        areas.area,
        areas.is_national,
        areas.departement_codes
    from grouped
    left join areas
        on grouped.area is not null
        and grouped.area.lvl is not distinct from areas.stated_level
        and grouped.area.code is not distinct from areas.stated_code
        and grouped.area.name is not distinct from areas.stated_name
),
claims as (
    select one.funder_id, one.service_ref
    from named as one
    join named as other
        on one.service_key = other.service_key
        and one.service_ref <> other.service_ref
        and coalesce(one.valid_from, '0001-01-01'::date) <= coalesce(other.valid_to, '9999-12-31'::date)
        and coalesce(other.valid_from, '0001-01-01'::date) <= coalesce(one.valid_to, '9999-12-31'::date)
    group by all
),
final as (
    select
        named.service_key,
        named.funder_id,
        named.service_ref,
        named.service_id,
        named.name,
        named.funder_name,
        named.funder_level,
        named.service_variants,
        named.area_id,
        named.area,
        coalesce(named.is_national, false) as is_national,
        named.departement_codes,
        named.valid_from,
        named.valid_to,
        named.predecessors,
        named.calendar,
        named.contact_function,
        named.contact_mailbox,
        named.url,
        named.reviewed_date,
        named.n_schemes,
        claims.service_ref is not null as is_claimed_twice,
        named.is_demonstration,
        named.line_id
    from named
    left join claims using (funder_id, service_ref)
)
select * from final order by funder_id, service_ref;
