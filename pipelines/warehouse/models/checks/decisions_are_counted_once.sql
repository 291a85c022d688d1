-- Chaque demande de subvention comptée a exactement une décision, et aucune autre n'en a.
-- blocking: yes

select application_id, count(decisions.application_id) as n_decisions
from (select distinct application_id from applications where is_counted and is_grant)
full join decisions using (application_id)
group by application_id
having count(decisions.application_id) <> 1;
