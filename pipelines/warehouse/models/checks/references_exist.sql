-- Chaque ligne comptée renvoie à un financeur, un service et un organisme qui existent ; chaque ligne de l'annuaire, à un service.
-- blocking: yes

select applications.line_id, applications.funder_id, applications.service_key, applications.organisation_id
from applications
left join funders using (funder_id)
left join services using (service_key)
left join organisations using (organisation_id)
where applications.is_counted
    and (funders.funder_id is null or services.service_key is null or organisations.organisation_id is null)
union all
select line_id, funder_id, service_key, null as organisation_id
from service_offers
anti join services using (service_key);
