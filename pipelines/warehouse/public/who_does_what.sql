-- Qui fait quoi : pour chaque service, dispositif, thème et chose payée, ce que l'annuaire déclare (territoire, calendrier, contact) et ce que montrent les attributions.
-- « — » : l'annuaire ne le dit pas ; unknown : les fichiers ne le disent pas.

select * from funding.who_does_what order by funder_id, service_key, service_ref, scheme, theme, pays;
