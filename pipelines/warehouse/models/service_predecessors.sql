-- Qui succède à qui : chaque service et chacun de ceux que l'annuaire dit qu'il remplace. Une succession qui revient sur elle-même est dite et n'est pas suivie.

with source as (
    select funder_id, service_ref, service_key, name, predecessors, line_id from service_entries where predecessors is not null
),
stated as (
    select distinct * exclude (predecessors), trim(unnest(string_split(predecessors, ';'))) as stated
    from source
),
matched as (
    select
        stated.*,
        coalesce(by_ref.service_ref, by_name.service_ref) as predecessor_ref
    from stated
    left join service_entries as by_ref on stated.funder_id = by_ref.funder_id and slug(stated.stated) = by_ref.service_ref
    left join (
        select funder_id, slug(name) as name_slug, min(service_ref) as service_ref
        from service_entries
        group by all
        having count(*) = 1
    ) as by_name on stated.funder_id = by_name.funder_id and slug(stated.stated) = by_name.name_slug
    where stated.stated <> ''
),
edges as (
    select distinct funder_id, service_ref, predecessor_ref from matched where predecessor_ref is not null
),
reached as (
    with recursive walk as (
        select funder_id, service_ref, predecessor_ref from edges
        union
        select walk.funder_id, walk.service_ref, edges.predecessor_ref
        from walk
        join edges on walk.funder_id = edges.funder_id and walk.predecessor_ref = edges.service_ref
    )
    select * from walk
),
circular as (
    select distinct funder_id, service_ref from reached where service_ref = predecessor_ref
),
final as (
    select
        matched.funder_id,
        matched.service_ref,
        matched.service_key,
        matched.name,
        matched.stated as predecessor_stated,
        matched.predecessor_ref,
        predecessor.service_key as predecessor_key,
        predecessor.name as predecessor_name,
        predecessor.valid_from as predecessor_from,
        predecessor.valid_to as predecessor_to,
        circular.service_ref is not null as is_circular,
        matched.line_id
    from matched
    left join service_entries as predecessor
        on matched.funder_id = predecessor.funder_id and matched.predecessor_ref = predecessor.service_ref
    left join circular on matched.funder_id = circular.funder_id and matched.service_ref = circular.service_ref
)
select * from final order by funder_id, service_ref, predecessor_stated;
