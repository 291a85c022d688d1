-- Là où l'annuaire et les attributions se contredisent, service par service.

select * from funding.service_differences order by funder_id, service_key, difference, subject;
