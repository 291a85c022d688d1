-- Aucune demande dont toutes les lignes sont écartées des comptes n'est dans une table dérivée.
-- blocking: yes

with uncounted as (
    select application_id
    from applications
    semi join (select distinct application_id from applications where not is_counted) using (application_id)
    group by application_id
    having not bool_or(is_counted)
)
select 'decisions' as model, application_id from decisions semi join uncounted using (application_id)
union all
select 'funding_years' as model, application_id from funding_years semi join uncounted using (application_id);
