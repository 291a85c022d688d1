-- Financeurs que nomment les annuaires de services et les listes d'appels, et l'identifiant de chacun. Réservé aux analystes.

with known_funders as (  -- the SIREN that grant files give to this name, in the same folder first, when they agree
    select
        funder_slug, depositor,
        if(count(distinct funder_id) = 1, min(funder_id), null) as funder_id
    from funder_identities
    group by grouping sets ((funder_slug, depositor), (funder_slug))
),
named as (
    select distinct deposits.depositor, lines.funder_siren, lines.funder_name
    from (
        select deposit_id, funder_siren, funder_name from staged_services
        union all select deposit_id, funder_siren, funder_name from staged_calls
    ) as lines
    join deposits using (deposit_id)
),
final as (
    select
        named.*,
        case  -- a SIREN that no grant file gives yields to files that know this funder by its name alone
            when named.funder_siren is not null and (
                known_sirens.funder_id is not null
                or coalesce(same_folder.funder_id, anywhere.funder_id) is distinct from slug(named.funder_name)
            ) then named.funder_siren
            else coalesce(
                same_folder.funder_id, anywhere.funder_id, slug(named.funder_name), 'financeur-' || left(md5(named.funder_name), 8)
            )
        end as funder_id
    from named
    left join known_funders as same_folder
        on slug(named.funder_name) = same_folder.funder_slug and named.depositor = same_folder.depositor
    left join (select distinct funder_id from funder_identities) as known_sirens on named.funder_siren = known_sirens.funder_id
    left join known_funders as anywhere on slug(named.funder_name) = anywhere.funder_slug and anywhere.depositor is null
)
select * from final order by depositor, funder_name, funder_siren;
