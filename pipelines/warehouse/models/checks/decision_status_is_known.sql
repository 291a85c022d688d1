-- Part des demandes dont la décision est écrite avec un mot inconnu : au-delà d'une sur vingt, un format est à compléter.
-- blocking: no

select funder_id, fiscal_year, n_unknown, n_total from refusal_rates_by_funder_year where n_unknown > n_total / 20;
