-- Les lignes acceptées de chaque dépôt en cours sont toutes chargées, ni plus ni moins.
-- blocking: yes

with
current_deposits as (
    select deposit_id, rows_accepted from deposits where status = 'accepted' and is_current
),
of_applications as (
    select deposit_id, count(*) as n_lines from applications group by deposit_id
),
-- One row of a sheet may give several lines (years as columns), or lines of another contract: rows are told apart only
-- where the number of lines is not that of rows.
to_be_told_apart as (
    select coalesce(current_deposits.deposit_id, of_applications.deposit_id) as deposit_id
    from current_deposits
    full join of_applications using (deposit_id)
    where current_deposits.rows_accepted is distinct from coalesce(of_applications.n_lines, 0)
),
rows_loaded as (
    select deposit_id, source_sheet, source_row from applications semi join to_be_told_apart using (deposit_id)
    union
    select deposit_id, source_sheet, source_row
    from staged_other_rows
    semi join current_deposits using (deposit_id)
),
counted as (
    select deposit_id, count(*) as n_rows from rows_loaded group by deposit_id
)
select
    to_be_told_apart.deposit_id,
    current_deposits.rows_accepted,
    coalesce(counted.n_rows, 0) as n_rows
from to_be_told_apart
left join current_deposits using (deposit_id)
left join counted using (deposit_id)
where current_deposits.rows_accepted is distinct from coalesce(counted.n_rows, 0);
