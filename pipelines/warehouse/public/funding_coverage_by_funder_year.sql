-- Ce que les fichiers disent des subventions accordées, par financeur et exercice : lignes et montants où chaque information est présente, et sur combien elle manque.

select * from funding.funding_coverage_by_funder_year where information <> 'requested' order by funder_id, fiscal_year, currency, stage, information;
