-- Décisions inscrites dans line_decisions.csv sur des lignes de deux déposants, chacune suivie ou en attente, et pourquoi.

select
    decisions.line,
    decisions.left_key,
    decisions.right_key,
    decisions.decision,
    decisions.author,
    decisions.reason,
    decisions.decided_date,
    decisions.is_applied,
    decisions.problem,
    linked.line_id as uncounted_line_id,
    linked.other_line_id as counted_line_id
from given_line_decisions as decisions
left join linked_lines as linked on decisions.line = linked.decision_line
order by decisions.line;
