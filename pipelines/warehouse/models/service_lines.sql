-- Lignes de l'annuaire des services dans les dépôts en cours, chacune avec son financeur, son service et son fichier. Réservé aux analystes.

with real_deposit as (
    select coalesce(bool_or(status = 'accepted' and is_current and not is_demonstration), false) as has_arrived from deposits
),
known_funders as (  -- the SIREN that grant files give to this name, in the same folder first, when they agree
    select
        funder_slug, depositor,
        if(count(distinct funder_id) = 1, min(funder_id), null) as funder_id
    from funder_identities
    group by grouping sets ((funder_slug, depositor), (funder_slug))
),
final as (
    select
        lines.*,
        deposits.depositor,
        deposits.file_name,
        deposits.received_at,
        case  -- a SIREN that no grant file gives yields to files that know this funder by its name alone
            when lines.funder_siren is not null and (
                known_sirens.funder_id is not null
                or coalesce(same_folder.funder_id, anywhere.funder_id) is distinct from slug(lines.funder_name)
            ) then lines.funder_siren
            else coalesce(
                same_folder.funder_id, anywhere.funder_id, slug(lines.funder_name), 'financeur-' || left(md5(lines.funder_name), 8)
            )
        end as funder_id
    from staged_services as lines
    join deposits using (deposit_id)
    cross join real_deposit
    left join known_funders as same_folder
        on slug(lines.funder_name) = same_folder.funder_slug and deposits.depositor = same_folder.depositor
    left join (select distinct funder_id from funder_identities) as known_sirens on lines.funder_siren = known_sirens.funder_id
    left join known_funders as anywhere on slug(lines.funder_name) = anywhere.funder_slug and anywhere.depositor is null
    where deposits.status = 'accepted' and deposits.is_current and not (deposits.is_demonstration and real_deposit.has_arrived)
)
select * from final order by deposit_id, source_sheet, source_row, line_id;
