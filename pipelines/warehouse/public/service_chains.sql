-- Les anciens noms d'un service : tous ceux auxquels il succède, de proche en proche, avec leurs dates.

select * from funding.service_chains order by funder_id, service_key, n_steps, predecessor_key;
