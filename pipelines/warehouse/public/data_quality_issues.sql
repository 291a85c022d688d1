-- Problèmes par dépôt et par nature. Dans un fichier qui contient des demandes non accordées, les nombres sont arrondis à cinq près et les nombres inférieurs à cinq ne sont pas donnés.

with source as (
    select * from funding.data_quality_issues where code not in ('refused_with_amount', 'status_unknown')
),
final as (
    select
        public_deposits.public_id as deposit_id,
        source.code,
        source.severity,
        if(public_deposits.is_awards_only, source.n, rounded(source.n)) as n
    from source
    join public_deposits using (deposit_id)
    join funding.deposits as deposits using (deposit_id)
    where deposits.is_current
)
select * from final order by deposit_id, code, severity;
