-- Territoires rencontrés : communes, intercommunalités, départements et régions des sièges et des actions, avec leur population.
-- « — » pour les sièges que les fichiers ne disent pas.

with seats as (
    select seat_commune_code, seat_epci_code, seat_departement_code, seat_region_code, count(*) as n
    from applications
    where is_counted
    group by all
),
actions as (
    select action_commune_code, action_epci_code, action_departement_code, action_region_code, count(*) as n
    from applications
    where is_counted
    group by all
),
met as (
    select 'commune:' || seat_commune_code as territory_id, n as n_seats, 0 as n_actions from seats
    union all
    select 'epci:' || seat_epci_code as territory_id, n as n_seats, 0 as n_actions from seats
    union all
    select 'departement:' || coalesce(seat_departement_code, '—') as territory_id, n as n_seats, 0 as n_actions from seats
    union all
    select 'region:' || seat_region_code as territory_id, n as n_seats, 0 as n_actions from seats
    union all
    select 'commune:' || action_commune_code as territory_id, 0 as n_seats, n as n_actions from actions
    union all
    select 'epci:' || action_epci_code as territory_id, 0 as n_seats, n as n_actions from actions
    union all
    select 'departement:' || action_departement_code as territory_id, 0 as n_seats, n as n_actions from actions
    union all
    select 'region:' || action_region_code as territory_id, 0 as n_seats, n as n_actions from actions
),
totals as (
    select territory_id, sum(n_seats)::integer as n_seat_lines, sum(n_actions)::integer as n_action_lines
    from met
    where territory_id is not null
    group by territory_id
),
final as (
    select
        totals.territory_id,
        coalesce(reference.level, 'departement') as level,
        coalesce(reference.code, '—') as code,
        coalesce(reference.name, 'Siège non précisé') as name,
        reference.parent_id,
        reference.population,
        reference.vintage,
        totals.n_seat_lines,
        totals.n_action_lines
    from totals
    left join territory_reference as reference using (territory_id)
)
select * from final order by level, code;
