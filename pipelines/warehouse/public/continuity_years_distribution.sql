-- Bénéficiaires par nombre d'années financées, pour chaque financeur.
-- Les SIRET valides sont comptés à part : une organisation peut avoir plusieurs établissements, ou aucun SIRET lisible.

select * from funding.continuity_years_distribution order by funder_id, years_funded;
