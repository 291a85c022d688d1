-- Les anciens noms d'un service : tous ceux auxquels il succède, de proche en proche, avec leurs dates.

with edges as (
    select funder_id, service_ref, predecessor_ref from service_predecessors where predecessor_ref is not null and not is_circular
),
reached as (
    with recursive walk as (
        select funder_id, service_ref, predecessor_ref, 1 as steps from edges
        union
        select walk.funder_id, walk.service_ref, edges.predecessor_ref, walk.steps + 1 as steps
        from walk
        join edges on walk.funder_id = edges.funder_id and walk.predecessor_ref = edges.service_ref
    )
    select funder_id, service_ref, predecessor_ref, min(steps) as steps from walk group by all
),
final as (
    select
        reached.funder_id,
        service.service_key,
        service.name,
        predecessor.service_key as predecessor_key,
        predecessor.name as predecessor_name,
        predecessor.valid_from as predecessor_from,
        predecessor.valid_to as predecessor_to,
        reached.steps::integer as n_steps
    from reached
    join service_entries as service using (funder_id, service_ref)
    join service_entries as predecessor
        on reached.funder_id = predecessor.funder_id and reached.predecessor_ref = predecessor.service_ref
)
select * from final order by funder_id, service_key, n_steps, predecessor_key;
