-- Subventions par financeur, thème et exercice, avec le thème tel que le fichier l'écrit.

select *, 0::integer as n_withheld from funding.funding_by_funder_theme_year order by funder_id, theme, theme_raw, fiscal_year, currency, stage;
