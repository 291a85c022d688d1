-- Deux SIREN ne sont un même organisme que si une décision le dit.
-- blocking: yes

select organisation_id, list(identifier order by identifier) as sirens
from organisation_identifiers
where kind = 'siren'
    and organisation_id not in (select organisation_id from organisation_links where basis = 'decision')
group by organisation_id
having count(*) > 1;
