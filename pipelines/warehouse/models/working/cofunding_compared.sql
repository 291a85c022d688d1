-- Lignes comparées pour le cofinancement, en nombres : celles d'un demandeur identifié à qui plusieurs financeurs ont affaire le même exercice, et celles qui portent un identifiant de cofinancement.

with source as not materialized (  -- read for each: held whole, five million lines would fill the memory
    select
        line_id, deposit_id, funder_id, organisation_id, fiscal_year, title, purpose, is_award, applicant_name,
        cofunding_id, cofunders
    from applications
    where is_counted and is_grant
),
stating as (  -- files that state the co-funding of some awards of the year
    select distinct deposit_id, fiscal_year
    from source
    where is_award and (cofunding_id is not null or cofunders is not null) and is_identified(organisation_id)
),
keys as (
    select cofunding_id, slug(cofunding_id) as cofunding_key from (select distinct cofunding_id from source where cofunding_id is not null)
),
funder_numbers as (
    select funder_id, (row_number() over (order by funder_id))::integer as funder from (select distinct funder_id from source)
),
titles as materialized (
    select titles.title, titles.own_line, whole.wording as whole_wording, telling.wording as telling_wording
    from project_titles as titles
    join cofunding_wordings as whole using (words_line)
    join cofunding_wordings as telling on titles.telling_line = telling.words_line
),
final as (
    select
        source.line_id,
        groups.block,
        funder_numbers.funder,
        keys.cofunding_key,
        titles.whole_wording,
        titles.telling_wording,
        source.purpose,
        is_borne(titles.own_line, names.name_line) as is_plain_title,
        -- the file states the co-funding of other awards of the year, and none here
        source.cofunding_id is null and source.cofunders is null and stating.deposit_id is not null as is_silent
    from source
    join cofunding_groups as groups using (organisation_id, fiscal_year)
    join funder_numbers using (funder_id)
    join titles on source.title is not distinct from titles.title
    join applicant_names as names on source.applicant_name is not distinct from names.applicant_name
    left join keys on source.cofunding_id = keys.cofunding_id
    left join stating on source.deposit_id = stating.deposit_id and source.fiscal_year = stating.fiscal_year
    where groups.is_shared or keys.cofunding_key is not null
)
select * from final;
