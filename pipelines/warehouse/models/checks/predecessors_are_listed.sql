-- Chaque service que l'annuaire dit remplacé y est.
-- blocking: no

select file_name, source_sheet, source_row, field, value, message from directory_issues where code = 'service_predecessor_unknown';
