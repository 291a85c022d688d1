-- Subventions par bénéficiaire, financeur et exercice.
-- Personnes morales seulement.

select * from funding.funding_by_beneficiary_year semi join beneficiaries using (organisation_id) where n_awards > 0 order by organisation_id, funder_id, fiscal_year, currency, stage;
