-- Chaque demande de subvention comptée a exactement une décision, et aucune autre n'en a.
-- blocking: yes

select application_id, count(*) filter (is_decision) as n_decisions
from (
    select application_id, false as is_decision from applications where is_counted and is_grant
    union all
    select application_id, true as is_decision from decisions
)
group by application_id
having n_decisions <> 1 or bool_and(is_decision);
