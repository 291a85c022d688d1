-- Un identifiant de ligne ne sert qu'une fois.
-- blocking: yes

select line_id, count(*) as n from applications group by line_id having count(*) > 1;
