-- Les noms de financeurs que les fichiers écrivent, chacun avec l'identifiant retenu : son SIREN, sinon celui que le même dossier donne à ce nom, sinon son nom simplifié. Réservé aux analystes.

with source as (
    select deposits.depositor, lines.funder_name, lines.funder_siren
    from staged_applications as lines
    join deposits using (deposit_id)
    where deposits.status = 'accepted' and deposits.is_current
),
funder_names as (
    select
        depositor,
        funder_name,
        coalesce(slug(funder_name), 'financeur-' || left(md5(funder_name), 8)) as funder_slug,
        funder_siren
    from (select distinct depositor, funder_name, funder_siren from source)
),
known_funders as (  -- one folder, one name, one SIREN: its lines without SIREN are the same funder's
    select depositor, funder_slug, min(funder_siren) as siren
    from funder_names
    group by all
    having count(distinct funder_siren) = 1
),
final as (
    select
        names.depositor,
        names.funder_name,
        names.funder_siren,
        names.funder_slug,
        coalesce(names.funder_siren, known.siren, names.funder_slug) as funder_id
    from funder_names as names
    left join known_funders as known using (depositor, funder_slug)
)
select * from final order by depositor, funder_name, funder_siren;
