-- Subventions par service instructeur et exercice.

select * from funding.funding_by_service_year order by funder_id, service_key, fiscal_year, currency, stage;
