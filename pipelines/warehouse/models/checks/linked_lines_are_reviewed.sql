-- Aucune ligne de deux déposants n'attend d'être vérifiée (table linked_lines_to_review).
-- blocking: no

select link_rule, depositor, file_name, source_sheet, source_row, other_depositor, other_file_name, other_source_sheet, other_source_row
from linked_lines_to_review;
