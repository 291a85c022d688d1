-- Régions, départements et intercommunalités des sièges de bénéficiaires ; « — » quand le fichier ne dit pas le siège.

with met as (
    select 'departement' as level, departement_code as code from funding.funding_by_territory_year
    union
    select 'region' as level, region_code as code from funding.funding_by_region_year
    union
    select 'epci' as level, epci_code as code from funding.funding_by_epci_year
)
select * exclude (n_seat_lines, n_action_lines) from funding.territories semi join met using (level, code) order by level, code;
