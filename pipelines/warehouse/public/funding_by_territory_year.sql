-- Subventions par département du siège du bénéficiaire, financeur et exercice ; « — » quand le fichier ne dit pas le siège.

select *, 0::integer as n_withheld from funding.funding_by_territory_year order by departement_code, funder_id, fiscal_year, currency, stage;
