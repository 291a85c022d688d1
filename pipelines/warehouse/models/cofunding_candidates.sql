-- Lignes comparées pour le cofinancement : celles d'un demandeur identifié à qui plusieurs financeurs ont affaire le même exercice, et celles qui portent un identifiant de cofinancement.
-- Les lignes d'un même financeur qui disent la même chose sont comparées une seule fois, par la première (node_id). Réservé aux analystes.

with source as not materialized (  -- read for each: held whole, five million lines would fill the memory
    select
        line_id, application_id, deposit_id, funder_id, organisation_id, fiscal_year, title, purpose, is_award,
        seat_departement_code, applicant_name, cofunding_id, cofunders
    from applications
    where is_counted and is_grant and is_identified(organisation_id)
),
blocks as (
    select organisation_id, fiscal_year from source group by all having count(distinct funder_id) > 1
),
stating as (  -- files that state the co-funding of some awards of the year
    select distinct deposit_id, fiscal_year, true as is_stating
    from source
    where is_award and (cofunding_id is not null or cofunders is not null)
),
keys as (
    select cofunding_id, slug(cofunding_id) as cofunding_key from (select distinct cofunding_id from source where cofunding_id is not null)
),
chosen as (
    select
        source.* exclude (cofunding_id, cofunders),
        keys.cofunding_key,
        -- the file states the co-funding of other awards of the year, and none here
        source.cofunding_id is null and source.cofunders is null and coalesce(stating.is_stating, false) as is_silent
    from source
    left join keys on source.cofunding_id = keys.cofunding_id
    left join stating on source.deposit_id = stating.deposit_id and source.fiscal_year = stating.fiscal_year
    left join blocks on source.organisation_id = blocks.organisation_id and source.fiscal_year = blocks.fiscal_year
    where blocks.organisation_id is not null or keys.cofunding_key is not null
),
names as (
    select applicant_name, array_to_string(title_words(applicant_name), ' ') as name_line
    from (select distinct applicant_name from source)
),
compared as (
    select
        chosen.* exclude (applicant_name),
        titles.words_line,
        titles.title_purpose,
        is_borne(titles.own_line, names.name_line) as is_plain_title,
        hash(chosen.organisation_id, chosen.fiscal_year, chosen.funder_id, chosen.cofunding_key, titles.words_line, chosen.purpose) as said
    from chosen
    join project_titles as titles on chosen.title is not distinct from titles.title
    join names on chosen.applicant_name is not distinct from names.applicant_name
),
repeated as (  -- numbers first: nearly every line is the only one to say what it says
    select said from compared group by said having count(*) > 1
),
same as (  -- lines of one funder that say the same
    select
        organisation_id, fiscal_year, funder_id, cofunding_key, words_line, purpose,
        min(line_id) as node_id,
        bool_or(is_plain_title) as is_plain_title,
        bool_and(is_silent) as is_silent,
        bool_or(is_award) as has_award
    from compared
    semi join repeated using (said)
    group by all
    having count(*) > 1
),
final as (
    select
        compared.line_id,
        coalesce(same.node_id, compared.line_id) as node_id,
        compared.application_id,
        compared.deposit_id,
        compared.organisation_id,
        compared.fiscal_year,
        compared.funder_id,
        compared.cofunding_key,
        -- a short identifier may be anybody's numbering
        length(regexp_replace(compared.cofunding_key, '[^a-z0-9]', '', 'g')) < 5 as is_weak_id,
        compared.title,
        coalesce(same.is_plain_title, compared.is_plain_title) as is_plain_title,
        compared.title_purpose,
        compared.purpose,
        coalesce(same.is_silent, compared.is_silent) as is_silent,
        compared.seat_departement_code,
        coalesce(same.has_award, compared.is_award) as has_award
    from compared
    left join same
        on compared.organisation_id = same.organisation_id
        and compared.fiscal_year = same.fiscal_year
        and compared.funder_id = same.funder_id
        and compared.words_line = same.words_line
        and compared.cofunding_key is not distinct from same.cofunding_key
        and compared.purpose is not distinct from same.purpose
)
select * from final order by line_id;
