-- Subventions par intercommunalité du siège du bénéficiaire, financeur et exercice ; « — » quand le fichier ne la dit pas.

select *, 0::integer as n_withheld from funding.funding_by_epci_year order by epci_code, funder_id, fiscal_year, currency, stage;
