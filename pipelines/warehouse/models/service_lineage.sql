-- Service sous lequel un service se suit d'une année à l'autre : celui qui lui a succédé en dernier d'après l'annuaire, sinon lui-même.
-- Un service remplacé par plusieurs autres se suit seul : rien ne dit lequel le continue.

with last_ones as (  -- successors that nothing replaces
    select chains.predecessor_key, chains.service_key
    from service_chains as chains
    anti join service_chains as later on chains.service_key = later.predecessor_key
),
single as (
    select predecessor_key, min(service_key) as lineage_key
    from last_ones
    group by predecessor_key
    having count(distinct service_key) = 1
),
final as (
    select distinct applications.service_key, coalesce(single.lineage_key, applications.service_key) as lineage_key
    from (select distinct service_key from applications where is_counted) as applications
    left join single on applications.service_key = single.predecessor_key
)
select * from final order by service_key;
