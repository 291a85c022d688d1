-- Subventions par dispositif d'un financeur et exercice ; « — » quand le fichier ne nomme pas de dispositif.

select *, 0::integer as n_withheld from funding.funding_by_scheme_year order by funder_id, scheme, fiscal_year, currency, stage;
