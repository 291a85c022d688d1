-- Part des attributions de chaque financeur à des personnes morales qui vont à un projet cofinancé, et sur combien on peut le savoir.

select * exclude (kind) from funding.cofunding_by_funder_year where kind = 'legal' order by funder_id, fiscal_year;
