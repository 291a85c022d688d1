-- Part de chaque niveau (Europe, État, région, département, bloc communal, CAF, MSA) dans les subventions d'un département et d'un exercice, d'après le siège du bénéficiaire.
-- D'après les seuls financeurs dont les données sont là (n_funders) : un niveau absent n'est pas un niveau qui ne finance pas. Étapes et monnaies à part.

select *, 0::integer as n_withheld from funding.funding_by_level_territory_year order by departement_code, level_group, fiscal_year, currency, stage;
