-- Lignes lues = acceptées + écartées + ignorées, pour chaque dépôt.
-- blocking: yes

select deposit_id, rows_read, rows_accepted, rows_rejected, rows_ignored
from deposits
where rows_read is distinct from rows_accepted + rows_rejected + rows_ignored;
