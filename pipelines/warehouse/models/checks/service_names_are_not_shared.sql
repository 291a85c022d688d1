-- Un nom ne désigne qu'un service d'un financeur à la fois.
-- blocking: no

select file_name, source_sheet, source_row, field, value, message from directory_issues where code = 'service_name_claimed_twice';
