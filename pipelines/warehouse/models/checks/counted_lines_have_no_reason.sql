-- Une ligne est comptée, ou dit pourquoi elle ne l'est pas.
-- blocking: yes

select line_id, is_counted, not_counted_reason from applications where is_counted is not distinct from (not_counted_reason is not null);
