-- Ce qui est déjà conventionné pour l'année de la date de référence et les suivantes, et ce qui finit chaque année, par financeur.
-- Conventions pluriannuelles seulement, réparties sur leurs années ; un montant annoncé reste soumis au vote du budget et à la justification. secured_share compare au dernier exercice observé.

select * from funding.continuity_secured_by_funder_year order by funder_id, fiscal_year, currency, stage;
