-- Cofinanceurs nommés par une ligne, et ce qu'on sait d'eux : dans le projet, ailleurs chez le même demandeur, ou nulle part. Une mention seule ne fait jamais un cofinancement. Réservé aux analystes.

with source as (
    select names.*, applications.funder_id, applications.organisation_id, applications.fiscal_year, applications.is_award
    from cofunder_names as names
    join applications using (line_id)
),
known as (  -- of those that are named only: a funder, an applicant and a year are nearly every line
    select distinct funder_id as cofunder_id, organisation_id, fiscal_year
    from applications
    where is_counted and is_grant
        and (funder_id, organisation_id, fiscal_year) in (
            select cofunder_id, organisation_id, fiscal_year from source where cofunder_id is not null
        )
),
observed as (
    select distinct funder_id as cofunder_id, fiscal_year from applications where is_counted
),
linked as (
    select distinct mine.line_id, others.funder_id as cofunder_id
    from cofunded_lines as mine
    join cofunded_lines as others using (project_id)
    where mine.funder_id <> others.funder_id
),
final as (
    select
        source.line_id,
        source.organisation_id,
        source.fiscal_year,
        source.funder_id,
        source.is_award,
        source.cofunder_name,
        source.cofunder_id,
        source.name_rule,
        case
            when source.cofunder_id is null then 'unknown_funder'
            when linked.line_id is not null then 'linked'
            when known.cofunder_id is not null then 'same_applicant'
            when observed.cofunder_id is not null then 'no_line'
            else 'not_observed'
        end as mention_status
    from source
    left join linked using (line_id, cofunder_id)
    left join known using (cofunder_id, organisation_id, fiscal_year)
    left join observed using (cofunder_id, fiscal_year)
)
select * from final order by line_id, cofunder_name;
