-- Continuité par bénéficiaire, tous financeurs : une année est observable si l'un au moins de ses financeurs y a des données.
-- Personnes morales seulement.

select * from funding.continuity_by_beneficiary semi join beneficiaries using (organisation_id) order by organisation_id;
