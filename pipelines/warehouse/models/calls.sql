-- Appels à projets : ceux des listes déposées, avec leur état à la date de référence, et ceux que seules les demandes nomment.

with source as (
    select
        *,
        coalesce(slug(call_id), slug(concat_ws(' ', coalesce(title, original_title), opening_date::text)), md5(line_id)) as call_ref
    from call_lines
),
latest as (  -- one line speaks for a call: that of the last deposit
    from source
    qualify row_number() over (
        partition by funder_id, call_ref order by received_at desc, deposit_id desc, source_sheet, source_row, line_id
    ) = 1
),
call_refs as (  -- each spelling is folded once
    select call_id, slug(call_id) as call_ref from (select distinct call_id from applications where is_counted and call_id is not null)
),
named as (
    select
        funder_id,
        call_ref,
        min(applications.call_id) as call_id,
        min(funder_name) as funder_name,
        string_agg(distinct scheme, ', ' order by scheme) as schemes,
        min(fiscal_year) as first_year,
        max(fiscal_year) as last_year,
        count(*)::integer as n_lines,
        n_applications(application_id, is_only_line, is_award and is_grant)::integer as n_awards,
        bool_and(is_demonstration) as is_demonstration
    from applications
    join call_refs using (call_id)
    where is_counted and call_ref is not null
    group by all
),
final as (
    select
        coalesce(latest.funder_id, named.funder_id) || '/' || coalesce(latest.call_ref, named.call_ref) as call_key,
        coalesce(latest.funder_id, named.funder_id) as funder_id,
        coalesce(latest.call_id, named.call_id) as call_id,
        latest.call_ref is not null as is_declared,
        coalesce(latest.title, latest.original_title) as title,
        coalesce(latest.funder_name, named.funder_name) as funder_name,
        latest.cofunders,
        latest.service_name,
        coalesce(by_id.service_key, latest.funder_id || '/' || coalesce(names.service_slug, slug(latest.service_name))) as service_key,
        coalesce(latest.scheme, named.schemes) as scheme,
        latest.programmes,
        latest.previous_call_id,
        case
            when latest.call_ref is null then 'unknown'
            when latest.closing_date < latest.opening_date then 'unknown'
            when latest.closing_date < getvariable('as_of') then 'closed'
            when latest.opening_date > getvariable('as_of') then 'upcoming'
            when latest.closing_date is not null or latest.recurrence = 'permanent' then 'open'
            else 'unknown'
        end as status,
        latest.recurrence,
        latest.opening_date,
        latest.predeposit_date,
        latest.closing_date,
        latest.decision_expected_date,
        latest.is_call,
        latest.applicants,
        latest.aid_types,
        latest.purposes,
        latest.themes,
        latest.theme_raw,
        latest.project_stages,
        latest.description,
        latest.project_examples,
        latest.criteria,
        latest.rate_min,
        latest.rate_max,
        latest.rate_comment,
        latest.amount_ceiling,
        latest.envelope,
        areas.area_id,
        areas.area,
        coalesce(areas.is_national, false) as is_national,
        areas.departement_codes,
        latest.contact,
        latest.contact_mailbox,
        latest.info_url,
        latest.apply_url,
        latest.source_name,
        latest.source_updated_at,
        latest.licence,
        named.first_year,
        named.last_year,
        coalesce(named.n_lines, 0)::integer as n_lines,
        coalesce(named.n_awards, 0)::integer as n_awards,
        coalesce(latest.is_demonstration, named.is_demonstration) as is_demonstration
    from latest
    full join named on latest.funder_id = named.funder_id and latest.call_ref = named.call_ref
    left join areas
        on coalesce(latest.area_level, latest.area_code, latest.area_name) is not null
        and latest.area_level is not distinct from areas.stated_level
        and latest.area_code is not distinct from areas.stated_code
        and latest.area_name is not distinct from areas.stated_name
    left join service_names as names on latest.funder_id = names.funder_id and slug(latest.service_name) = names.name_slug
    left join service_entries as by_id on latest.funder_id = by_id.funder_id and slug(latest.service_id) = by_id.service_ref
)
select * from final order by call_key;
