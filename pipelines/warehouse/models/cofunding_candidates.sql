-- Lignes comparées pour le cofinancement : celles d'un demandeur identifié à qui plusieurs financeurs ont affaire le même exercice, et celles qui portent un identifiant de cofinancement.
-- Les lignes d'un même financeur qui disent la même chose sont comparées une seule fois, par la première (node_id). Réservé aux analystes.

with source as (
    select
        line_id, application_id, deposit_id, funder_id, organisation_id, fiscal_year, title, purpose, is_award,
        seat_departement_code, applicant_name,
        slug(cofunding_id) as cofunding_key,
        -- the file states the co-funding of other awards of the year, and none here
        cofunding_id is null and cofunders is null
            and bool_or(is_award and (cofunding_id is not null or cofunders is not null)) over (
                partition by deposit_id, fiscal_year
            ) as is_silent
    from applications
    where is_counted and is_grant and split_part(organisation_id, ':', 1) not in ('line', 'case', 'raw')
),
blocks as (
    select organisation_id, fiscal_year, count(distinct funder_id) > 1 as has_several from source group by all
),
titles as (
    select title, title_words(title) as words from (select distinct title from source)
),
names as (
    select applicant_name, title_words(applicant_name) as name_words from (select distinct applicant_name from source)
),
compared as (
    select source.*, coalesce(titles.words, []) as words, coalesce(names.name_words, []) as name_words
    from source
    join blocks using (organisation_id, fiscal_year)
    left join titles using (title)
    left join names using (applicant_name)
    where blocks.has_several or source.cofunding_key is not null
),
final as (
    select
        line_id,
        min(line_id) over same as node_id,
        application_id,
        deposit_id,
        organisation_id,
        fiscal_year,
        funder_id,
        cofunding_key,
        -- a short identifier may be anybody's numbering
        length(regexp_replace(cofunding_key, '[^a-z0-9]', '', 'g')) < 5 as is_weak_id,
        title,
        words,
        list_filter(words, lambda w: not is_plain_word(w)) as telling_words,
        list_filter(words, lambda w: is_number(w)) as numbers,
        bool_or(names_no_project(words, name_words)) over same as is_plain_title,
        case
            when list_contains(words, 'fonctionnement') then 'operating'
            when list_has_any(words, ['equipement', 'equipements', 'investissement', 'investissements', 'travaux']) then 'investment'
        end as title_purpose,
        purpose,
        bool_and(is_silent) over same as is_silent,
        seat_departement_code,
        bool_or(is_award) over same as has_award
    from compared
    window same as (partition by organisation_id, fiscal_year, funder_id, cofunding_key, words, purpose)
)
select * from final order by line_id;
