-- Taux de refus par service instructeur et exercice.
-- Un effectif qui n'est pas une attribution n'est donné que s'il ne désigne personne ; status dit pourquoi il manque. amount_awarded : personnes morales seulement.

select funder_id, service_key, fiscal_year, * exclude (grain, funder_id, service_key, departement_code, scheme, fiscal_year)
from refusal_rates_told
where grain = 'service'
order by funder_id, service_key, fiscal_year;
