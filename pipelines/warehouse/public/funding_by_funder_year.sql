-- Subventions par financeur et exercice, montants entiers l'année de la décision.

select *, 0::integer as n_withheld from funding.funding_by_funder_year order by funder_id, fiscal_year, currency, stage;
