-- Services instructeurs qui ont au moins une ligne comptée ; « service non précisé » quand le fichier n'en nomme pas.

with source as (
    select * from applications where is_counted
),
name_counts as (
    select service_key, service_name, count(*) as n from source group by all
),
names as (
    select service_key, arg_min(service_name, row(-n, service_name)) as name from name_counts group by service_key
),
totals as (
    select
        funder_id,
        service_key,
        min(fiscal_year) as first_year,
        max(fiscal_year) as last_year,
        count(*) as n_lines,
        n_applications(application_id, is_only_line, is_award and is_grant) as n_awards
    from source
    group by all
),
publication as (
    select service_key, published_in(sum(n_lines) filter (published), sum(n_lines), bool_or(published is false)) as refusals_published
    from refusal_publication
    group by service_key
),
directory as (  -- two services that claim one name at the same time say nothing of it
    select
        service_key,
        min(funder_id) as funder_id,
        min(name) as name,
        min(funder_name) as funder_name,
        bool_or(is_claimed_twice) as is_claimed_twice,
        max_by(
            struct_pack(
                service_id := service_id, area_id := area_id, area := area, valid_from := valid_from, valid_to := valid_to,
                predecessors := predecessors, calendar := calendar, contact_function := contact_function,
                contact_mailbox := contact_mailbox, url := url, reviewed_date := reviewed_date
            ),
            row(coalesce(valid_to, '9999-12-31'::date), service_ref)
        ) as entry
    from service_entries
    group by service_key
),
keyed as (
    select
        coalesce(totals.service_key, directory.service_key) as service_key,
        coalesce(totals.funder_id, directory.funder_id) as funder_id,
        totals.* exclude (service_key, funder_id),
        directory.name as directory_name,
        directory.funder_name as directory_funder,
        directory.is_claimed_twice,
        if(directory.is_claimed_twice, null, directory.entry) as entry,
        directory.service_key is not null as is_declared
    from totals
    full join directory using (service_key)
),
final as (
    select
        service_key,
        coalesce(funders.slug, slug(directory_funder) || '-' || left(md5(funder_id), 6), funder_id) || '-' || if(
            service_key = funder_id || '/-', 'service-non-precise', left(substr(service_key, length(funder_id) + 2), 80)
        ) as slug,
        funder_id,
        coalesce(directory_name, names.name, 'service non précisé') as name,
        keyed.first_year,
        keyed.last_year,
        coalesce(keyed.n_lines, 0)::integer as n_lines,
        coalesce(keyed.n_awards, 0)::integer as n_awards,
        coalesce(publication.refusals_published, 'unknown') as refusals_published,
        is_declared,
        coalesce(is_claimed_twice, false) as is_claimed_twice,
        entry.service_id as service_id,
        entry.area_id as area_id,
        entry.area as area,
        entry.valid_from as valid_from,
        entry.valid_to as valid_to,
        entry.predecessors as predecessors,
        entry.calendar as calendar,
        entry.contact_function as contact_function,
        entry.contact_mailbox as contact_mailbox,
        entry.url as url,
        entry.reviewed_date as reviewed_date
    from keyed
    left join funders using (funder_id)
    left join names using (service_key)
    left join publication using (service_key)
)
select * from final order by service_key;
