-- Dispositifs de chaque service : ceux que l'annuaire déclare, et ceux sur lesquels les données montrent une attribution.

select * from funding.service_schemes order by service_key, scheme;
