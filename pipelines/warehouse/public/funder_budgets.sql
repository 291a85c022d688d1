-- Budgets de subventions que les financeurs annoncent par exercice, en euros, pour tout ou pour un service ou un dispositif (« — » : tout).
-- Un budget annoncé n'est pas un montant accordé.

select * from funding.funder_budgets semi join funders using (funder_id) order by funder_id, fiscal_year, service_name, scheme;
