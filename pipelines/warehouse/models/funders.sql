-- Financeurs qui ont au moins une ligne comptée.

with source as (
    select * from applications where is_counted
),
name_counts as (
    select funder_id, funder_name, count(*) as n from source group by all
),
names as (  -- the most frequent spelling, then the first in alphabetical order
    select funder_id, arg_min(funder_name, row(-n, funder_name)) as name from name_counts group by funder_id
),
level_counts as (
    select funder_id, funder_level, count(*) as n from source where funder_level is not null group by all
),
levels as (
    select funder_id, arg_min(funder_level, row(-n, funder_level)) as level from level_counts group by funder_id
),
amounts as (
    select
        funder_id, currency, stage,
        n_applications(application_id, is_only_line, true) as n_awards,
        sum(amount_headline) as amount
    from source
    where is_award and is_grant
    group by all
),
main_amounts as (  -- one currency and one stage: those of most awards
    select
        funder_id,
        sum(n_awards) as n_awards,
        arg_min(amount, row(-n_awards, currency, stage)) as amount_awarded,
        arg_min(currency, row(-n_awards, currency, stage)) as currency,
        arg_min(stage, row(-n_awards, currency, stage)) as stage,
        count(*) > 1 as has_other_amounts
    from amounts
    group by funder_id
),
totals as (
    select
        funder_id,
        max(funder_siren) as siren,
        min(fiscal_year) as first_year,
        max(fiscal_year) as last_year,
        count(*) as n_lines,
        bool_and(is_demonstration) as is_demonstration,
        string_agg(distinct licence, ', ' order by licence) as licence,
        string_agg(distinct source_name, ', ' order by source_name) as source_names,
        max(source_updated_at) as source_updated_at
    from source
    group by funder_id
),
publication as (
    select funder_id, published_in(sum(n_lines) filter (published), sum(n_lines), bool_or(published is false)) as refusals_published
    from refusal_publication
    group by funder_id
),
slugs as (
    select funder_id, coalesce(left(slug(name), 80), funder_id) as slug, count(*) over (partition by slug) as holders from names
),
final as (
    select
        funder_id,
        if(slugs.holders > 1, slugs.slug || '-' || left(md5(funder_id), 6), slugs.slug) as slug,
        names.name,
        totals.siren,
        levels.level,
        totals.first_year,
        totals.last_year,
        totals.n_lines::integer as n_lines,
        coalesce(main_amounts.n_awards, 0)::integer as n_awards,
        main_amounts.amount_awarded,
        main_amounts.currency,
        main_amounts.stage,
        coalesce(main_amounts.has_other_amounts, false) as has_other_amounts,
        coalesce(publication.refusals_published, 'unknown') as refusals_published,
        totals.is_demonstration,
        totals.licence,
        totals.source_names,
        totals.source_updated_at
    from totals
    join names using (funder_id)
    join slugs using (funder_id)
    left join levels using (funder_id)
    left join main_amounts using (funder_id)
    left join publication using (funder_id)
)
select * from final order by funder_id;
