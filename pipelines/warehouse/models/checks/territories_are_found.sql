-- Le territoire du siège est trouvé sur 99 lignes comptées sur 100 de chaque fichier qui en dit quelque chose.
-- blocking: no

with source as (
    select applications.deposit_id, applications.seat_territory_rule, rules.is_resolved = 'yes' as is_resolved
    from applications
    join codelist_territory_rule as rules on applications.seat_territory_rule = rules.code
    where applications.is_counted and applications.seat_territory_rule not in ('none_given', 'siren_unknown')
)
select
    deposit_id,
    count(*) as n_lines,
    count(*) filter (not is_resolved) as n_unresolved,
    mode(seat_territory_rule) filter (not is_resolved) as main_reason
from source
group by deposit_id
having n_unresolved > 0.01 * n_lines
order by deposit_id;
