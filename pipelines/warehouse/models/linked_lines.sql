-- Lignes que deux déposants rapportent d'une même aide, une à une : sûres (une seule des deux est comptée) ou à vérifier (les deux le restent).

select
    line_id,
    other_line_id,
    deposit_id,
    other_deposit_id,
    fiscal_year,
    stage,
    rule as link_rule,
    likeness,
    is_sure,
    line_key,
    other_line_key,
    decision_line
from given_twins
order by line_id, other_line_id;
