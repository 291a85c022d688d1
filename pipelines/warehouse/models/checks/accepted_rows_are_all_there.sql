-- Les lignes acceptées de chaque dépôt en cours sont toutes dans applications, ni plus ni moins.
-- blocking: yes

select deposit_id, deposits.rows_accepted, coalesce(lines.n_lines, 0) as n_lines
from (select * from deposits where status = 'accepted' and is_current) as deposits
full join (select deposit_id, count(*) as n_lines from applications group by deposit_id) as lines using (deposit_id)
where deposits.rows_accepted is distinct from coalesce(lines.n_lines, 0);
