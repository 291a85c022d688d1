-- Remplissage de chaque champ du contrat, dépôt par dépôt.

with source as (
    select * from staged_applications
),
filled as (
    select deposit_id, count(*) as n_lines, count(columns(* exclude (deposit_id))) as '\0' from source group by deposit_id
),
long as (
    unpivot filled on columns(* exclude (deposit_id, n_lines)) into name field value n_filled
),
final as (
    select
        long.deposit_id,
        long.field,
        contract_fields.title,
        long.n_filled::integer as n_filled,
        long.n_lines::integer as n_lines,
        ratio(long.n_filled, long.n_lines) as share
    from long
    join contract_fields on long.field = contract_fields.name
)
select * from final order by deposit_id, field;
