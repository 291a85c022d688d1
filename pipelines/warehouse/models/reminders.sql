-- Relances : qui relancer, pour quel exercice, et à quelle adresse de fonction. Le plus en retard d'abord.

with source as (
    select * from given_reminders
),
held as (
    select deposits.depositor, applications.funder_id, applications.funder_name, count(*) as n
    from applications
    join deposits using (deposit_id)
    group by all
),
funder as (  -- a depositor may report several funders: the one of most lines
    select
        depositor,
        arg_min(funder_id, row(-n, funder_id, funder_name)) as funder_id,
        arg_min(funder_name, row(-n, funder_id, funder_name)) as funder_name
    from held
    group by depositor
),
contacts as (
    select funder_id, string_agg(distinct contact_mailbox, ', ' order by contact_mailbox) as contact_mailbox
    from services
    where contact_mailbox is not null
    group by funder_id
),
demonstration as (
    select depositor, bool_and(is_demonstration) as is_demonstration from deposits group by depositor
),
final as (
    select source.*, funder.funder_id, funder.funder_name, contacts.contact_mailbox, demonstration.is_demonstration
    from source
    left join funder using (depositor)
    left join contacts using (funder_id)
    left join demonstration using (depositor)
)
select * from final order by n_days_late desc, depositor, fiscal_year;
