-- Concentration des financeurs d'un bénéficiaire, par exercice : part du premier, indice de Herfindahl-Hirschman (Σ part²) et nombre équivalent de financeurs (1 ÷ indice).
-- Subventions publiques observées seulement : ce n'est pas la dépendance financière de l'organisme, dont les autres ressources ne sont pas connues.
-- Personnes morales seulement.

select * from funding.funding_concentration_by_beneficiary_year semi join beneficiaries using (organisation_id) order by organisation_id, fiscal_year, currency, stage;
