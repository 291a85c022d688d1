-- Paires de ce que disent deux demandes qui se rencontrent, une fois chacune : beaucoup de lignes disent la même chose d'année en année.
-- Sans celles dont les longueurs diffèrent de plus que les lettres qui peuvent changer (0,7 de ressemblance au moins).

with met as (
    select distinct least(a.wording, b.wording) as wording, greatest(a.wording, b.wording) as other_wording
    from cofunding_nodes as a
    join cofunding_nodes as b on a.block = b.block and a.meeting = b.meeting and a.funder < b.funder
    where a.is_met
),
final as (
    select met.wording, met.other_wording
    from met
    join cofunding_wordings as a using (wording)
    join cofunding_wordings as b on met.other_wording = b.wording
    where a.words_line <> ''
        and abs(length(a.words_line) - length(b.words_line)) <= 0.31 * greatest(length(a.words_line), length(b.words_line))
)
select * from final;
