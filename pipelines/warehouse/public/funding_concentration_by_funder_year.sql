-- Concentration des subventions d'un financeur entre ses bénéficiaires, par exercice : part des 1, 5 et 10 premiers, indice de Herfindahl-Hirschman (Σ part²) et nombre équivalent de bénéficiaires (1 ÷ indice).
-- Subventions publiques observées seulement, montant net de chaque bénéficiaire ; un montant net nul, négatif ou inconnu n'y entre pas et est compté à côté. Personnes morales seulement.

select * from funding.funding_concentration_by_funder_year
where scope = 'legal'
order by funder_id, fiscal_year, currency, stage;
