-- Problèmes par dépôt et par nature, avec les premières places où ils se trouvent.

with source as (
    select * from issues
),
final as (
    select
        deposit_id,
        code,
        severity,
        count(*)::integer as n,
        array_to_string(
            list(coalesce(sheet || ' ', '') || coalesce('ligne ' || row, 'fichier') order by sheet, row)[1:5], ' ; '
        ) as first_places
    from source
    group by deposit_id, code, severity
)
select * from final order by deposit_id, code, severity;
