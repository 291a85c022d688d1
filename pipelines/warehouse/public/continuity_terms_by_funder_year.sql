-- Durée des conventions pluriannuelles par financeur et année de début, chaque convention comptée une fois.

select * from funding.continuity_terms_by_funder_year order by funder_id, start_year, currency, stage;
