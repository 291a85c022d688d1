-- Subventions par région du siège du bénéficiaire, financeur et exercice ; « — » quand le fichier ne dit pas la région du siège.

select *, 0::integer as n_withheld from funding.funding_by_region_year order by region_code, funder_id, fiscal_year, currency, stage;
