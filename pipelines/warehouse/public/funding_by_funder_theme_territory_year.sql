-- Qui finance quel thème, où : subventions par financeur, thème, département du siège du bénéficiaire et exercice.
-- « unknown » quand rien ne dit le thème, « — » quand le fichier ne dit pas le siège. unknown_theme_share dit ce qui manque.

select *, 0::integer as n_withheld from funding.funding_by_funder_theme_territory_year
order by funder_id, theme, departement_code, fiscal_year, currency, stage;
