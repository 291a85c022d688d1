-- Les totaux énoncés par un financeur sont ceux que donnent ses lignes de demandes, où il dépose les deux.
-- blocking: no

select
    funder_id, service_key, scheme, territory_key, fiscal_year, disagreeing_columns, n_submitted, n_awarded, n_refused,
    n_lines_total, n_lines_awarded, n_lines_refused
from stated_decisions
where disagreeing_columns is not null;
