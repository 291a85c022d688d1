-- Cofinanceurs nommés par les fichiers, un par ligne et nom, et le financeur connu que ce nom désigne sans doute possible. Réservé aux analystes.

with source as (
    select line_id, funder_id, cofunders from applications where is_counted and is_grant and cofunders is not null
),
spellings as (
    select distinct spelling, funder_id
    from (  -- min(): each name is folded once, not once a line
        select slug(min(funder_name)) as spelling, funder_id from applications where is_counted group by funder_name, funder_id
    )
    where spelling is not null
),
named as (
    select distinct line_id, funder_id, trim(unnest(regexp_split_to_array(cofunders, '\s*[,;|/\n]\s*'))) as cofunder_name
    from source
),
written as (
    select cofunder_name, slug(min(cofunder_name)) as spelling from named group by cofunder_name
),
cleaned as (
    select distinct named.*, written.spelling
    from named
    join written using (cofunder_name)
    where spelling is not null and spelling not in ('oui', 'non', 'aucun', 'neant', 'sans', 'na', 'n-a', 'nc')
),
exact as (
    select spelling, min(spellings.funder_id) as cofunder_id, 'exact' as rule
    from (select distinct spelling from cleaned)
    join spellings using (spelling)
    group by spelling
    having count(distinct spellings.funder_id) = 1
),
partial as (  -- « Région Occitanie » for « Région Occitanie - Pyrénées-Méditerranée »: two words at least, of one funder only
    select names.spelling, min(spellings.funder_id) as cofunder_id, 'partial' as rule
    from (select distinct spelling from cleaned anti join exact using (spelling)) as names
    join spellings
        on contains('-' || spellings.spelling || '-', '-' || names.spelling || '-')
        or (contains('-' || names.spelling || '-', '-' || spellings.spelling || '-') and contains(spellings.spelling, '-'))
    where contains(names.spelling, '-')
    group by names.spelling
    having count(distinct spellings.funder_id) = 1
),
known as (
    select * from exact union all select * from partial
),
final as (
    select cleaned.line_id, cleaned.cofunder_name, known.cofunder_id, known.rule as name_rule
    from cleaned
    left join known using (spelling)
    where known.cofunder_id is distinct from cleaned.funder_id
)
select * from final order by line_id, cofunder_name;
