-- Ce qui se contredit entre les lignes de l'annuaire, les appels à projets et les demandes : un problème par ligne, avec son fichier, sa feuille et sa ligne.

with directories as (select distinct funder_id from service_entries),
known_names as (
    select funder_id, name_slug from service_names
    union
    select funder_id, slug(name) as name_slug from service_entries
),
claims as (
    select
        'service_name_claimed_twice' as code, lines.deposit_id, lines.file_name, lines.source_sheet, lines.source_row,
        'service_name' as field, lines.service_name as value
    from service_entries as entries
    join service_lines as lines using (line_id)
    where entries.is_claimed_twice
),
predecessors as (
    select
        if(is_circular, 'service_predecessor_circular', 'service_predecessor_unknown') as code, lines.deposit_id, lines.file_name,
        lines.source_sheet, lines.source_row, 'predecessors' as field,
        if(is_circular, found.name, found.predecessor_stated) as value
    from service_predecessors as found
    join (
        select funder_id, coalesce(slug(service_id), slug(service_name), md5(service_name)) as service_ref, *
        exclude (funder_id)
        from service_lines
        where predecessors is not null
    ) as lines
        on found.funder_id = lines.funder_id and found.service_ref = lines.service_ref
        and list_contains(list_transform(string_split(lines.predecessors, ';'), lambda each: trim(each)), found.predecessor_stated)
    where is_circular or predecessor_ref is null
),
calls_apart as (
    select
        'service_unlisted' as code, lines.deposit_id, lines.file_name, lines.source_sheet, lines.source_row,
        'service_name' as field, coalesce(lines.service_name, lines.service_id) as value
    from call_lines as lines
    semi join directories using (funder_id)
    left join known_names on lines.funder_id = known_names.funder_id and slug(lines.service_name) = known_names.name_slug
    left join service_entries as by_id on lines.funder_id = by_id.funder_id and slug(lines.service_id) = by_id.service_ref
    where coalesce(lines.service_name, lines.service_id) is not null and known_names.name_slug is null and by_id.service_ref is null
),
lines_apart as (  -- the first line of each file that names the service
    select
        'service_unlisted' as code, lines.deposit_id, deposits.file_name, min_by(lines.source_sheet, lines.source_row) as source_sheet,
        min(lines.source_row) as source_row, 'service_name' as field, lines.service_name as value
    from applications as lines
    join deposits using (deposit_id)
    semi join directories on lines.funder_id = directories.funder_id
    anti join known_names on lines.funder_id = known_names.funder_id and slug(lines.service_name) = known_names.name_slug
    where lines.is_counted and lines.service_name is not null
    group by lines.deposit_id, deposits.file_name, lines.service_name
),
together as (
    select * from claims union all select * from predecessors union all select * from calls_apart union all select * from lines_apart
),
final as (
    select distinct
        together.code,
        kinds.title as issue_title,
        kinds.severity,
        together.deposit_id,
        together.file_name,
        together.source_sheet,
        together.source_row,
        together.field,
        together.value,
        replace(kinds.message, '{value}', coalesce(together.value, '')) as message,
        kinds.remedy
    from together
    join contract_issues as kinds using (code)
)
select * from final order by code, file_name, source_sheet, source_row, field, value;
