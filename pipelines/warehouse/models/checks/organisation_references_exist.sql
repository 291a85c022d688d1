-- Chaque clé, identifiant et rapprochement d'organisme renvoie à une identité qui existe, et un SIREN n'en a qu'une.
-- blocking: yes

select 'organisation_keys' as model, organisation_key as key, organisation_id
from organisation_keys
where organisation_id not in (select organisation_key from organisation_keys)
union all
select 'organisation_keys' as model, applications.line_id as key, applications.organisation_id
from applications
left join organisation_keys as keys on applications.organisation_key = keys.organisation_key
where keys.organisation_id is distinct from applications.organisation_id
union all
select 'organisation_links' as model, links.left_key || ' · ' || links.right_key as key, links.organisation_id
from organisation_links as links
left join organisation_keys as keys on links.right_key = keys.organisation_key
where keys.organisation_id is distinct from links.organisation_id
union all
select 'organisation_identifiers' as model, kind || ' · ' || identifier as key, min(organisation_id) as organisation_id
from organisation_identifiers
where kind in ('siren', 'rna')
group by kind, identifier
having count(*) > 1;
