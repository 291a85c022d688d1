-- Demandes comparées, et lesquelles se rencontrent : celles d'un même groupe et d'un même `meeting`, dont l'une des deux le permet (is_met).
-- Là où trop se rencontreraient, seules le font celles dont les mots qui parlent sont les mêmes.

with crowded as (
    select groups.block
    from cofunding_blocks as blocks
    join cofunding_groups as groups on blocks.block = groups.organisation_id and blocks.fiscal_year = groups.fiscal_year
    where blocks.block_kind = 'organisation' and not blocks.is_compared
),
final as (
    select
        requests.* exclude (telling_wording),
        length(wordings.words_line) as n_letters,
        if(crowded.block is null, 0, requests.telling_wording) as meeting,
        crowded.block is null or not requests.is_plain_title as is_met
    from cofunding_requests as requests
    join cofunding_wordings as wordings using (wording)
    left join crowded using (block)
)
select * from final;
