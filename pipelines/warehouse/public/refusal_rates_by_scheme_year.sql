-- Taux de refus par dispositif d'un financeur et exercice.
-- Un effectif qui n'est pas une attribution n'est donné que s'il ne désigne personne ; status dit pourquoi il manque. amount_awarded : personnes morales seulement.

select funder_id, scheme, fiscal_year, * exclude (grain, funder_id, service_key, departement_code, scheme, fiscal_year)
from refusal_rates_told
where grain = 'scheme'
order by funder_id, scheme, fiscal_year;
