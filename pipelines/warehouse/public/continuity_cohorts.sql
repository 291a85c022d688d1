-- Triangle des cohortes : bénéficiaires entrés la même année chez un financeur, ou un service suivi, et combien sont encore financés les années d'après.
-- Une entrée n'est connue que si l'année d'avant est observée ; une année sans données reste vide ; n_uninterrupted s'arrête à la première année sans données.

select * from funding.continuity_cohorts order by level, relation_key, cohort_year, fiscal_year;
