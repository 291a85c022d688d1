-- Subventions par thème de la liste commune et exercice ; « unknown » quand le thème n'est pas connu.

select *, 0::integer as n_withheld from funding.funding_by_theme_year order by theme, fiscal_year, currency, stage;
