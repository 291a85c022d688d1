-- Bénéficiaires par nombre d'années financées, tous financeurs ensemble.
-- Les SIRET valides sont comptés à part : une organisation peut avoir plusieurs établissements, ou aucun SIRET lisible.

select * from funding.continuity_years_distribution_overall order by years_funded;
