-- Chaque ligne comptée renvoie à un financeur, un service et un organisme qui existent.
-- blocking: yes

select applications.line_id, applications.funder_id, applications.service_key, applications.organisation_id
from applications
left join funders using (funder_id)
left join services using (service_key)
left join organisations using (organisation_id)
where applications.is_counted
    and (funders.funder_id is null or services.service_key is null or organisations.organisation_id is null);
