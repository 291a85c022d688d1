-- Lignes d'un même financeur qui disent la même chose d'un même demandeur et exercice : elles sont comparées une seule fois, par la première (node_id). Réservé aux analystes.

with source as (
    select * from cofunding_compared
),
repeated as (  -- numbers first: nearly every line is the only one to say what it says
    select block, funder, whole_wording from source group by all having count(*) > 1
),
final as (
    select
        line_id,
        min(line_id) over same as node_id,
        bool_or(is_plain_title) over same as is_plain_title,
        bool_and(is_silent) over same as is_silent
    from source
    semi join repeated using (block, funder, whole_wording)
    window same as (partition by block, funder, whole_wording, cofunding_key, purpose)
    qualify count(*) over same > 1
)
select * from final order by line_id;
