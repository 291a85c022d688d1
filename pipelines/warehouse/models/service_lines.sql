-- Lignes de l'annuaire des services dans les dépôts en cours, chacune avec son financeur, son service et son fichier. Réservé aux analystes.

with real_deposit as (
    select coalesce(bool_or(status = 'accepted' and is_current and not is_demonstration), false) as has_arrived from deposits
),
final as (
    select lines.*, deposits.depositor, deposits.file_name, deposits.received_at, declared_funders.funder_id
    from staged_services as lines
    join deposits using (deposit_id)
    cross join real_deposit
    join declared_funders
        on deposits.depositor = declared_funders.depositor
        and lines.funder_name is not distinct from declared_funders.funder_name
        and lines.funder_siren is not distinct from declared_funders.funder_siren
    where deposits.status = 'accepted' and deposits.is_current and not (deposits.is_demonstration and real_deposit.has_arrived)
)
select * from final order by deposit_id, source_sheet, source_row, line_id;
