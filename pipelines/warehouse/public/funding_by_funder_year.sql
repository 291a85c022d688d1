-- Subventions par financeur et exercice, montants entiers l'année de la décision.

select * from funding.funding_by_funder_year order by funder_id, fiscal_year, currency, stage;
