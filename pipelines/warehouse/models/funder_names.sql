-- Noms de financeurs tels que chaque déposant les écrit, chacun avec le financeur retenu.

with source as (
    select distinct deposits.depositor, lines.funder_name, lines.funder_siren
    from staged_applications as lines
    join deposits using (deposit_id)
    where deposits.status = 'accepted' and deposits.is_current
),
slugs as (
    select
        depositor,
        funder_name,
        coalesce(slug(funder_name), 'financeur-' || left(md5(funder_name), 8)) as funder_slug,
        funder_siren
    from source
),
known_funders as (  -- one folder, one name, one SIREN: its lines without SIREN are the same funder's
    select depositor, funder_slug, min(funder_siren) as siren
    from slugs
    group by all
    having count(distinct funder_siren) = 1
),
final as (
    select
        slugs.depositor,
        slugs.funder_name,
        slugs.funder_siren,
        coalesce(slugs.funder_siren, known.siren, slugs.funder_slug) as funder_id
    from slugs
    left join known_funders as known using (depositor, funder_slug)
)
select * from final order by depositor, funder_name, funder_siren;
