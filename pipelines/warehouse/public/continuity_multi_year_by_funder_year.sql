-- Part du pluriannuel dans les subventions décidées chaque année, en nombre et en montant.

select * from funding.continuity_multi_year_by_funder_year order by funder_id, fiscal_year;
