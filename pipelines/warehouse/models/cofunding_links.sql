-- Paires de demandes de deux financeurs pour un même demandeur et exercice, avec la preuve : gardées (is_kept) ou laissées de côté, avec la raison.
-- basis : shared_id, même identifiant de cofinancement ; named, titres presque identiques et un fichier nomme l'autre financeur ; title, titres presque identiques seulement. Réservé aux analystes.

with near as (
    select wording, other_wording from cofunding_meetings where wording = other_wording
    union
    select wording, other_wording from near_wordings
    union
    select other_wording as wording, wording as other_wording from near_wordings
),
keyed as materialized (
    select nodes.*, groups.organisation_id, groups.fiscal_year
    from cofunding_nodes as nodes
    join cofunding_groups as groups using (block)
    where nodes.cofunding_key is not null
),
ids as (  -- an identifier of many requests of one applicant is no project's
    select organisation_id, cofunding_key from keyed group by all having count(*) <= 20
),
pairs as materialized (
    select a.node_id, b.node_id as other_node_id
    from cofunding_nodes as a
    join cofunding_nodes as b on a.block = b.block and a.meeting = b.meeting and a.funder < b.funder
    -- after who meets whom: a few wordings are those of half the lines
    where a.is_met and (a.wording, b.wording) in (select wording, other_wording from near)
    union
    select a.node_id, b.node_id as other_node_id
    from keyed as a
    join keyed as b
        on a.block = b.block and a.meeting = b.meeting and a.cofunding_key = b.cofunding_key and a.funder < b.funder
    where a.is_met
    union
    select a.node_id, b.node_id as other_node_id
    from keyed as a
    join keyed as b
        on a.cofunding_key = b.cofunding_key and a.fiscal_year = b.fiscal_year and a.funder < b.funder
    join cofunding_blocks as id_blocks
        on id_blocks.block_kind = 'cofunding_id' and id_blocks.block = a.cofunding_key and id_blocks.fiscal_year = a.fiscal_year
    where id_blocks.is_compared
    union
    select a.node_id, b.node_id as other_node_id  -- two funders that one identifier brings together in different years only
    from keyed as a
    join ids using (organisation_id, cofunding_key)
    join keyed as b
        on a.cofunding_key = b.cofunding_key and a.organisation_id = b.organisation_id and a.funder < b.funder
        and a.fiscal_year <> b.fiscal_year
    anti join keyed as meeting
        on a.cofunding_key = meeting.cofunding_key and a.organisation_id = meeting.organisation_id
        and b.funder = meeting.funder and a.fiscal_year = meeting.fiscal_year
    anti join keyed as meeting
        on b.cofunding_key = meeting.cofunding_key and b.organisation_id = meeting.organisation_id
        and a.funder = meeting.funder and b.fiscal_year = meeting.fiscal_year
),
linked as (
    select node_id from pairs union select other_node_id as node_id from pairs
),
members as (
    select node_id, node_id as line_id from linked
    union all
    select repeats.node_id, repeats.line_id from linked join cofunding_repeats as repeats using (node_id) where repeats.line_id <> repeats.node_id
),
member_lines as materialized (
    select
        members.node_id, applications.line_id, applications.organisation_id, applications.fiscal_year, applications.funder_id,
        applications.title, applications.purpose, applications.seat_departement_code
    from members
    join applications using (line_id)
),
seats as (  -- an organisation known by its name alone may be two: their seats must not contradict each other
    select node_id, min(seat_departement_code) as low, max(seat_departement_code) as high
    from member_lines
    where organisation_id like 'name:%'
    group by node_id
),
mentions as (
    select distinct coalesce(repeats.node_id, names.line_id) as node_id, names.cofunder_id
    from cofunder_names as names
    left join cofunding_repeats as repeats using (line_id)
    where names.cofunder_id is not null
),
described as materialized (
    select
        nodes.node_id,
        lines.organisation_id,
        lines.fiscal_year,
        lines.funder_id,
        lines.purpose,
        titles.title_purpose,
        nodes.cofunding_key,
        -- a short identifier may be anybody's numbering
        coalesce(length(regexp_replace(nodes.cofunding_key, '[^a-z0-9]', '', 'g')) < 5, false) as is_weak_id,
        nodes.is_plain_title,
        nodes.is_silent,
        nodes.wording,
        seats.low,
        seats.high
    from member_lines as lines
    join cofunding_nodes as nodes on lines.line_id = nodes.node_id
    join project_titles as titles on lines.title is not distinct from titles.title
    left join seats on nodes.node_id = seats.node_id
),
compared as (
    select
        said.wording,
        said.other_wording,
        mine.numbers_line <> theirs.numbers_line as has_other_numbers,
        lines_likeness(mine.words_line, theirs.words_line, mine.sorted_line, theirs.sorted_line) as likeness,
        words_of(mine.words_line) as words,
        words_of(theirs.words_line) as other_words,
        case
            when said.wording = said.other_wording or is_headed(words, other_words) then true
            else len(words_missing(words, other_words)) + len(words_missing(other_words, words)) = 0
        end as has_same_words
    from (
        select distinct a.wording, b.wording as other_wording
        from pairs
        join described as a using (node_id)
        join described as b on pairs.other_node_id = b.node_id
    ) as said
    join cofunding_wordings as mine using (wording)
    join cofunding_wordings as theirs on said.other_wording = theirs.wording
),
measured as (
    select
        a.node_id,
        b.node_id as other_node_id,
        a.organisation_id,
        b.organisation_id as other_organisation_id,
        a.fiscal_year,
        b.fiscal_year as other_fiscal_year,
        a.funder_id,
        b.funder_id as other_funder_id,
        a.organisation_id = b.organisation_id as is_same_applicant,
        coalesce(a.cofunding_key = b.cofunding_key, false) as is_same_id,
        coalesce(a.cofunding_key <> b.cofunding_key, false) as is_other_id,
        a.is_weak_id,
        a.is_silent and b.is_silent as is_silent,
        -- one file's running costs are another's project; neither is an investment
        coalesce(a.purpose <> b.purpose and 'investment' in (a.purpose, b.purpose), false)
            or coalesce(a.title_purpose <> b.title_purpose, false) as is_other_purpose,
        a.is_plain_title or b.is_plain_title as is_plain_title,
        compared.has_other_numbers,
        compared.likeness,
        compared.has_same_words,
        coalesce(a.low <> b.low or a.high <> b.high, false) as is_seat_contradicted
    from pairs
    join described as a using (node_id)
    join described as b on pairs.other_node_id = b.node_id
    join compared on a.wording = compared.wording and b.wording = compared.other_wording
),
judged as (
    select
        measured.*,
        likeness >= 0.8 and has_same_words and not has_other_numbers and not is_plain_title as is_alike,
        mine.node_id is not null or theirs.node_id is not null as is_named
    from measured
    left join mentions as mine on measured.node_id = mine.node_id and measured.other_funder_id = mine.cofunder_id
    left join mentions as theirs on measured.other_node_id = theirs.node_id and measured.funder_id = theirs.cofunder_id
),
final as (
    select
        node_id,
        other_node_id,
        organisation_id,
        other_organisation_id,
        fiscal_year,
        other_fiscal_year,
        funder_id,
        other_funder_id,
        case when is_same_id then 'shared_id' when is_named then 'named' else 'title' end as basis,
        round(likeness, 3) as likeness,
        is_named,
        case
            when fiscal_year <> other_fiscal_year then 'other_year'
            when is_same_id and is_same_applicant and not is_weak_id then null
            when is_same_id and is_alike then null
            when is_same_id and not is_same_applicant then 'other_applicant'
            when is_same_id then 'weak_id'
            when is_other_id then 'other_id'
            when is_plain_title then 'plain_title'
            when has_other_numbers then 'other_numbers'
            when likeness < 0.8 or not has_same_words then 'other_words'
            when is_other_purpose then 'other_purpose'
            when is_seat_contradicted then 'other_seat'
            when is_silent and not is_named then 'not_stated'
        end as left_out_reason,
        left_out_reason is null as is_kept
    from judged
)
select * from final order by node_id, other_node_id;
