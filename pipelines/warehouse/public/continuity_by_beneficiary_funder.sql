-- Continuité par bénéficiaire et financeur : années financées, série en cours et plus longue série, interruptions, dans les seules années observées.
-- Personnes morales seulement.

select * from funding.continuity_by_beneficiary_funder semi join beneficiaries using (organisation_id) order by organisation_id, funder_id;
