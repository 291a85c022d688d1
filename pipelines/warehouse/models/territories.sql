-- Départements des sièges rencontrés dans les données ; « — » quand le fichier ne dit pas le siège.

with source as (
    select distinct coalesce(seat_departement_code, '—') as code from applications where is_counted
),
final as (
    select
        'departement:' || source.code as territory_id,
        'departement' as level,
        source.code,
        coalesce(departements.label, 'Siège non précisé') as name
    from source
    left join codelist_departement as departements using (code)
)
select * from final order by code;
