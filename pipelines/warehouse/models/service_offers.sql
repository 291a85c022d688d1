-- Ce que l'annuaire dit : un service et un de ses dispositifs par ligne ; ce que la ligne ne dit pas est pris au service.

with source as (
    select
        *,
        coalesce(slug(service_id), slug(service_name), md5(service_name)) as service_ref
    from service_lines
),
latest as (
    from source
    qualify dense_rank() over (partition by funder_id, service_ref order by received_at desc, deposit_id desc) = 1
),
final as (
    select
        entries.service_key,
        latest.funder_id,
        latest.service_ref,
        latest.scheme,
        slug(latest.scheme) as scheme_slug,
        latest.budget_programme,
        latest.themes,
        latest.pays,
        latest.pays_not,
        coalesce(latest.calendar, entries.calendar) as calendar,
        coalesce(latest.contact_function, entries.contact_function) as contact_function,
        coalesce(latest.contact_mailbox, entries.contact_mailbox) as contact_mailbox,
        coalesce(latest.url, entries.url) as url,
        coalesce(latest.reviewed_date, entries.reviewed_date) as reviewed_date,
        coalesce(areas.area_id, entries.area_id) as area_id,
        coalesce(areas.area, entries.area) as area,
        coalesce(if(areas.stated_level is null and areas.stated_code is null and areas.stated_name is null, null, areas.is_national), entries.is_national) as is_national,
        coalesce(areas.departement_codes, entries.departement_codes) as departement_codes,
        entries.valid_from,
        entries.valid_to,
        entries.is_claimed_twice,
        latest.line_id
    from latest
    join service_entries as entries using (funder_id, service_ref)
    left join areas
        on coalesce(latest.area_level, latest.area_code, latest.area_name) is not null
        and latest.area_level is not distinct from areas.stated_level
        and latest.area_code is not distinct from areas.stated_code
        and latest.area_name is not distinct from areas.stated_name
)
select * from final order by funder_id, service_ref, scheme, line_id;
