-- Un appel à projets ferme après avoir ouvert.
-- blocking: no

select file_name, source_sheet, source_row, 'closing_date' as field, closing_date as value, coalesce(title, original_title) as title
from call_lines
where closing_date < opening_date;
