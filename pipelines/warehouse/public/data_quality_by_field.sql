-- Remplissage de chaque champ, dépôt par dépôt, parmi les seules lignes accordées.

with source as (
    select * from funding.applications where is_award
),
filled as (
    select deposit_id, count(*) as n_lines, count(columns(* exclude (deposit_id))) as '\0' from source group by deposit_id
),
long as (
    unpivot filled on columns(* exclude (deposit_id, n_lines)) into name field value n_filled
),
final as (
    select
        public_deposits.public_id as deposit_id,
        long.field,
        contract_fields.title,
        long.n_filled::integer as n_filled,
        long.n_lines::integer as n_lines,
        ratio(long.n_filled, long.n_lines) as share
    from long
    join contract_fields on long.field = contract_fields.name
    join public_deposits using (deposit_id)
    where long.field not in ('refusal_reason', 'refusal_reason_raw')
)
select * from final order by deposit_id, field;
