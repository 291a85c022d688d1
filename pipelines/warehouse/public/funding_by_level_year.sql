-- Subventions par niveau de financeur et exercice.

select *, 0::integer as n_withheld from funding.funding_by_level_year order by funder_level, fiscal_year, currency, stage;
