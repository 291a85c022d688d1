-- Subventions par service instructeur et exercice.

select *, 0::integer as n_withheld from funding.funding_by_service_year order by funder_id, service_key, fiscal_year, currency, stage;
