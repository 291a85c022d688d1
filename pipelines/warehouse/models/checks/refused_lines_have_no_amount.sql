-- Demandes refusées ou irrecevables qui portent un montant accordé : le montant n'est compté nulle part.
-- blocking: no

select line_id, funder_id, fiscal_year, amount_awarded
from applications
where is_counted and decision_status in ('refused', 'inadmissible') and amount_awarded > 0;
