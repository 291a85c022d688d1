-- Départements des sièges de bénéficiaires ; « — » quand le fichier ne dit pas le siège.

select * from funding.territories semi join funding.funding_by_territory_year on code = departement_code order by code;
