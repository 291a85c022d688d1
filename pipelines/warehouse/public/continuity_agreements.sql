-- Conventions pluriannuelles : leurs années, leur montant, et si elles finissent l'année suivant la date de référence.
-- Des subventions annuelles répétées ne sont pas une convention.
-- Personnes morales seulement.

select * from funding.continuity_agreements semi join beneficiaries using (organisation_id) order by funder_id, agreement_id, organisation_id, currency, stage;
