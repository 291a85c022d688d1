-- Ce qui a été retiré des intitulés d'attributions avant publication, par sorte : adresses, numéros, noms et dates de naissance reconnus.

with marks as (
    select unnest([
        'adresse électronique retirée', 'coordonnées bancaires retirées', 'date de naissance retirée', 'nom retiré',
        'numéro personnel retiré', 'téléphone retiré'
    ]) as mask
),
masked_awards as (
    select title from awards where title like '%retiré%'
),
final as (
    select marks.mask, count(*)::integer as n_awards
    from marks
    join masked_awards on contains(masked_awards.title, '[' || marks.mask || ']')
    group by marks.mask
)
select * from final order by mask;
