-- Paires de ce que disent deux demandes qui se rencontrent, une fois chacune : beaucoup de lignes disent la même chose d'année en année.
-- Sans celles dont les longueurs diffèrent de plus que les lettres qui peuvent changer (0,7 de ressemblance au moins).

with final as (
    select distinct least(a.wording, b.wording) as wording, greatest(a.wording, b.wording) as other_wording
    from cofunding_nodes as a
    join cofunding_nodes as b on a.block = b.block and a.meeting = b.meeting and a.funder < b.funder
    where a.is_met
        and a.n_letters > 0
        and abs(a.n_letters - b.n_letters) <= 0.31 * greatest(a.n_letters, b.n_letters)
)
select * from final;
