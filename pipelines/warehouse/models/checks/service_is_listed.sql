-- Chaque service nommé par une demande ou un appel est dans l'annuaire de son financeur, quand il en a un.
-- blocking: no

select file_name, source_sheet, source_row, field, value, message from directory_issues where code = 'service_unlisted';
