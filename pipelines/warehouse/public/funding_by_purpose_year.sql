-- Subventions par financeur, finalité (fonctionnement, projet, investissement) et exercice.

select *, 0::integer as n_withheld from funding.funding_by_purpose_year order by funder_id, purpose, fiscal_year, currency, stage;
