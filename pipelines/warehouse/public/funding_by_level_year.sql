-- Subventions par niveau de financeur et exercice.

select * from funding.funding_by_level_year order by funder_level, fiscal_year, currency, stage;
