-- Aucun service ne se succède à lui-même.
-- blocking: no

select file_name, source_sheet, source_row, field, value, message from directory_issues where code = 'service_predecessor_circular';
