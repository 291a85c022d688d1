-- Versions des fichiers, avec les noms des deux fichiers : ce qui s'ajoute, ce qui remplace, ce qui est écarté des comptes.

with source as (
    select * from versions
),
final as (
    select
        source.*,
        deposits.depositor,
        deposits.file_name,
        others.file_name as other_file_name
    from source
    left join deposits on source.deposit_id = deposits.deposit_id
    left join deposits as others on source.other_deposit_id = others.deposit_id
)
select * from final order by deposit_id, fiscal_year;
