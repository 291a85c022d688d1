-- Paires de demandes de deux financeurs pour un même demandeur et exercice, avec la preuve : gardées (is_kept) ou laissées de côté, avec la raison.
-- basis : shared_id, même identifiant de cofinancement ; named, titres presque identiques et un fichier nomme l'autre financeur ; title, titres presque identiques seulement. Réservé aux analystes.

with wordings as materialized (  -- what the titles that are compared say, each once; the other two follow from the words
    select
        (row_number() over ())::integer as wording,
        words_line,
        min(sorted_line) as sorted_line,
        min(numbers_line) as numbers_line
    from (
        select words_line, words_sorted as sorted_line, numbers_line from project_titles
        union all
        select telling_line as words_line, telling_sorted as sorted_line, numbers_line from project_titles
    )
    group by words_line
),
titles as (
    select titles.title, titles.title_purpose, whole.wording as whole_wording, telling.wording as telling_wording
    from project_titles as titles
    join wordings as whole on titles.words_line = whole.words_line
    join wordings as telling on titles.telling_line = telling.words_line
),
blocks as (
    select (row_number() over ())::integer as block, block as organisation_id, fiscal_year, is_compared
    from cofunding_blocks
    where block_kind = 'organisation'
),
nodes as materialized (  -- texts are numbers: every pair is held at once
    select
        (row_number() over ())::integer as node,
        candidates.node_id,
        candidates.organisation_id,
        candidates.fiscal_year,
        candidates.funder_id,
        candidates.cofunding_key,
        coalesce(candidates.is_weak_id, false) as is_weak_id,
        candidates.is_plain_title,
        candidates.is_silent,
        candidates.purpose,
        titles.title_purpose,
        titles.telling_wording,
        if(candidates.is_plain_title, titles.whole_wording, titles.telling_wording) as wording,
        blocks.block,
        blocks.is_compared
    from cofunding_candidates as candidates
    join titles on candidates.title is not distinct from titles.title
    left join blocks using (organisation_id, fiscal_year)
    where candidates.line_id = candidates.node_id
),
seats as (  -- an organisation known by its name alone may be two: their seats must not contradict each other
    select node_id, min(seat_departement_code) as low, max(seat_departement_code) as high
    from cofunding_candidates
    where organisation_id like 'name:%'
    group by node_id
),
mentions as (
    select distinct candidates.node_id, mentions.cofunder_id
    from cofunding_candidates as candidates
    join cofunder_names as mentions using (line_id)
    where mentions.cofunder_id is not null
),
same_applicant as materialized (
    select
        a.node,
        b.node as other_node,
        least(a.wording, b.wording) as wording,
        greatest(a.wording, b.wording) as other_wording,
        coalesce(a.cofunding_key = b.cofunding_key, false) as is_same_id
    from nodes as a
    join nodes as b on a.block = b.block and a.funder_id < b.funder_id
    where a.is_compared
    union all
    select
        a.node,
        b.node as other_node,
        least(a.wording, b.wording) as wording,
        greatest(a.wording, b.wording) as other_wording,
        coalesce(a.cofunding_key = b.cofunding_key, false) as is_same_id
    from nodes as a
    join nodes as b on a.block = b.block and a.telling_wording = b.telling_wording and a.funder_id < b.funder_id
    where not a.is_compared and not a.is_plain_title
),
near_wordings as (
    select met.wording, met.other_wording
    from (select distinct wording, other_wording from same_applicant) as met
    join wordings as a using (wording)
    join wordings as b on met.other_wording = b.wording
    where a.words_line <> '' and case
        when met.wording = met.other_wording then true
        -- lines whose lengths differ by more than the letters that may change
        when abs(length(a.words_line) - length(b.words_line)) > 0.31 * greatest(length(a.words_line), length(b.words_line)) then false
        else lines_likeness(a.words_line, b.words_line, a.sorted_line, b.sorted_line) >= 0.7
    end
),
same_id as (
    select a.node, b.node as other_node
    from nodes as a
    join nodes as b
        on a.cofunding_key = b.cofunding_key and a.fiscal_year = b.fiscal_year and a.funder_id < b.funder_id
    join cofunding_blocks as id_blocks
        on id_blocks.block_kind = 'cofunding_id' and id_blocks.block = a.cofunding_key and id_blocks.fiscal_year = a.fiscal_year
    where id_blocks.is_compared
),
ids as (  -- an identifier of many requests of one applicant is no project's
    select organisation_id, cofunding_key from nodes where cofunding_key is not null group by all having count(*) <= 20
),
other_years as (  -- two funders that one identifier brings together in different years only
    select a.node, b.node as other_node
    from nodes as a
    join ids using (organisation_id, cofunding_key)
    join nodes as b
        on a.cofunding_key = b.cofunding_key and a.organisation_id = b.organisation_id and a.funder_id < b.funder_id
        and a.fiscal_year <> b.fiscal_year
    anti join nodes as meeting
        on a.cofunding_key = meeting.cofunding_key and a.organisation_id = meeting.organisation_id
        and b.funder_id = meeting.funder_id and a.fiscal_year = meeting.fiscal_year
    anti join nodes as meeting
        on b.cofunding_key = meeting.cofunding_key and b.organisation_id = meeting.organisation_id
        and a.funder_id = meeting.funder_id and b.fiscal_year = meeting.fiscal_year
),
pairs as (
    select node, other_node from same_applicant semi join near_wordings using (wording, other_wording)
    union
    select node, other_node from same_applicant where is_same_id
    union
    select node, other_node from same_id
    union
    select node, other_node from other_years
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
        mine.numbers_line <> theirs.numbers_line as has_other_numbers,
        lines_likeness(mine.words_line, theirs.words_line, mine.sorted_line, theirs.sorted_line) as likeness,
        words_of(mine.words_line) as words,
        words_of(theirs.words_line) as other_words,
        case
            when a.wording = b.wording or is_headed(words, other_words) then true
            else len(words_missing(words, other_words)) + len(words_missing(other_words, words)) = 0
        end as has_same_words,
        coalesce(seats.low <> others.low or seats.high <> others.high, false) as is_seat_contradicted
    from pairs
    join nodes as a on pairs.node = a.node
    join nodes as b on pairs.other_node = b.node
    join wordings as mine on a.wording = mine.wording
    join wordings as theirs on b.wording = theirs.wording
    left join seats on a.node_id = seats.node_id
    left join seats as others on b.node_id = others.node_id
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
