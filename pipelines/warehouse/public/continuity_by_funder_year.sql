-- Continuité par financeur et exercice : entrées, renouvellements, retours, pertes et taux de maintien.
-- Entrées, renouvellements et retours se comptent par rapport aux années observées d'avant, et restent vides la première ; pertes et maintiens seulement si l'année suivante est observée.

select * from funding.continuity_by_funder_year where n_funded > 0 order by funder_id, fiscal_year;
