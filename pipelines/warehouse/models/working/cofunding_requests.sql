-- Demandes comparées : les lignes comparées, celles d'un financeur qui disent la même chose n'étant prises que par la première.
-- wording : ce qui est comparé, tous les mots de l'intitulé si ceux qui parlent sont ceux du demandeur, sinon ceux qui parlent.

with final as (
    select
        compared.line_id as node_id,
        compared.block,
        compared.funder,
        compared.cofunding_key,
        if(coalesce(repeats.is_plain_title, compared.is_plain_title), compared.whole_wording, compared.telling_wording) as wording,
        compared.telling_wording,
        coalesce(repeats.is_plain_title, compared.is_plain_title) as is_plain_title,
        coalesce(repeats.is_silent, compared.is_silent) as is_silent
    from cofunding_compared as compared
    left join cofunding_repeats as repeats using (line_id)
    where repeats.node_id is null or repeats.node_id = compared.line_id
)
select * from final;
