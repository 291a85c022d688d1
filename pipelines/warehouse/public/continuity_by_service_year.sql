-- Continuité par service suivi et exercice : entrées, renouvellements, retours, pertes et taux de maintien, une fusion de services suivie sous le service qui succède.
-- Entrées, renouvellements et retours se comptent par rapport aux années observées d'avant, et restent vides la première ; pertes et maintiens seulement si l'année suivante est observée.

select * from funding.continuity_by_service_year where n_funded > 0 order by funder_id, relation_key, fiscal_year;
