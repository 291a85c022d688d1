-- Versions des fichiers : pour chaque exercice, le fichier compté et celui qu'il remplace. Les nombres de lignes manquent quand ils laisseraient deviner un petit nombre de refus.

with awarding as (  -- a year of which a file only tells applications without award has no row
    select distinct deposit_id, fiscal_year from funding.applications where is_award
),
source as (
    select * from funding.data_quality_versions semi join awarding using (deposit_id, fiscal_year)
),
final as (
    select
        mine.public_id as deposit_id,
        source.fiscal_year,
        source.is_counted,
        source.reason,
        others.public_id as other_deposit_id,
        if(mine.is_countable, source.lines, null) as lines,
        if(
            mine.is_awards_only
            or (  -- neither the common lines nor the others are few enough to single out a refusal
                mine.is_countable
                and source.lines_matched between getvariable('min_count') and source.lines - getvariable('min_count')
            ),
            source.lines_matched,
            null
        ) as lines_matched,
        if(mine.is_countable, round(source.shared, 2), null) as shared,
        source.decided_by,
        source.depositor,
        source.file_name,
        source.other_file_name
    from source
    join public_deposits as mine on source.deposit_id = mine.deposit_id
    left join public_deposits as others on source.other_deposit_id = others.deposit_id
)
select * from final order by depositor, fiscal_year, file_name, deposit_id;
