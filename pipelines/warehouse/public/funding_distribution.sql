-- Répartition des montants accordés (médiane, déciles) par financeur et exercice, et dans chaque service, thème et département du siège, une attribution comptée une fois.
-- Montants positifs seulement ; les autres sont comptés à côté. Déciles à partir de dix attributions. Personnes morales seulement.

select * from funding.funding_distribution
where scope = 'legal'
order by level, funder_id, breakdown_key, fiscal_year, currency, stage;
