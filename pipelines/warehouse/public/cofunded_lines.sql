-- Attributions des projets que plusieurs financeurs ont aidés, une par attribution. Seules les attributions à des personnes morales font un projet ici : rien n'y dit ce qui a été refusé.

with source as (
    select
        lines.award_project_id as project_id, lines.application_id, lines.organisation_id, lines.fiscal_year, lines.funder_id,
        lines.funder_level, lines.currency, lines.stage, lines.amount_headline, lines.award_basis, lines.award_likeness,
        awards.organisation_name, awards.title, awards.purpose
    from funding.cofunded_lines as lines
    join nominative_awards as awards using (line_id)
    where lines.award_project_id is not null
),
several as (
    select project_id from source group by project_id having count(distinct funder_id) > 1
),
final as (
    select
        project_id,
        application_id,
        organisation_id,
        any_value(organisation_name) as beneficiary_name,
        fiscal_year,
        funder_id,
        funder_level,
        masked(min(title)) as title,
        min(purpose) as purpose,
        currency,
        stage,
        sum(amount_headline) as amount,
        case max(case award_basis when 'shared_id' then 1 when 'named' then 2 else 3 end)
            when 1 then 'shared_id' when 2 then 'named' else 'title'
        end as basis,
        min(award_likeness) as likeness
    from source
    semi join several using (project_id)
    group by project_id, application_id, organisation_id, fiscal_year, funder_id, funder_level, currency, stage
)
select * from final order by project_id, funder_id, application_id, organisation_id, currency, stage;
