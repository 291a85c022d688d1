-- Taux de refus par financeur et exercice : refusées ÷ (accordées + refusées), avec tout ce qui n'entre pas dans ce rapport à côté.
-- Un effectif qui n'est pas une attribution n'est donné que s'il ne désigne personne ; status dit pourquoi il manque. amount_awarded : personnes morales seulement.

select funder_id, fiscal_year, * exclude (grain, funder_id, service_key, departement_code, scheme, fiscal_year)
from refusal_rates_told
where grain = 'funder'
order by funder_id, fiscal_year;
