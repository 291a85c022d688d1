-- Part du pluriannuel dans les subventions décidées chaque année, en nombre et en montant ; ferme ou prévisionnel seulement quand le fichier le dit.

select * from funding.continuity_multi_year_by_funder_year order by funder_id, fiscal_year;
