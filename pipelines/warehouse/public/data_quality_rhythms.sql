-- Rythme des dépôts des financeurs publics : dernier exercice apporté, délai habituel, et qui est en retard sur sa propre habitude. Sans les déposants dont un exercice ne contient aucune attribution : la ligne le dirait.

with awarded as (
    select distinct deposits.depositor, applications.fiscal_year
    from funding.applications as applications
    join funding.deposits as deposits using (deposit_id)
    where applications.is_award
),
unawarded as (  -- totals without lines, or applications without an award
    select deliveries.depositor
    from funding.deliveries as deliveries
    anti join awarded using (depositor, fiscal_year)
),
levels as (
    select deposits.depositor, bool_or(applications.funder_level is null or applications.funder_level = 'private') as has_private
    from funding.applications as applications
    join funding.deposits as deposits using (deposit_id)
    group by deposits.depositor
),
told as (  -- those of whom a file is told at all
    select distinct deposits.depositor
    from funding.deposits as deposits
    join public_deposits using (deposit_id)
    where deposits.is_current
),
final as (
    select
        rhythms.depositor, rhythms.last_year, rhythms.last_delivered_date, rhythms.n_observations, rhythms.median_lag,
        rhythms.next_year, rhythms.expected_date, rhythms.due_date, rhythms.is_late
    from funding.depositor_rhythms as rhythms
    semi join told using (depositor)
    semi join (from levels where not has_private) as levels using (depositor)
    anti join unawarded using (depositor)
)
select * from final order by depositor;
