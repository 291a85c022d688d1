-- Triangle des cohortes : bénéficiaires entrés la même année chez un financeur, ou un service suivi, et combien sont encore financés les années d'après.
-- Une entrée n'est connue que si l'année d'avant est observée ; une année sans données, en cours ou presque vide, reste vide ; n_uninterrupted s'arrête à la première année sans données.

with entries as (
    select * from continuity_relations where is_entry_observed
),
cohorts as (
    select level, funder_id, relation_key, first_year as cohort_year, count(*)::integer as n_cohort from entries group by all
),
spans as (
    select level, relation_key, max(fiscal_year) as last_observed from relation_masks where is_complete group by all
),
grid as (
    select cohorts.*, unnest(range(cohort_year, spans.last_observed + 1))::integer as fiscal_year
    from cohorts
    join spans using (level, relation_key)
),
funded as (
    select
        entries.level, entries.relation_key, entries.first_year as cohort_year, years.fiscal_year,
        count(*) as n_funded,
        count(*) filter (years.fiscal_year < entries.first_year + entries.n_years) as n_uninterrupted
    from entries
    join relation_years as years using (level, relation_key, organisation_id)
    group by all
),
final as (
    select
        grid.level,
        grid.funder_id,
        grid.relation_key,
        grid.cohort_year,
        grid.fiscal_year,
        (grid.fiscal_year - grid.cohort_year)::integer as age,
        grid.n_cohort,
        masks.fiscal_year is not null as is_year_observed,
        if(masks.fiscal_year is null, null, coalesce(funded.n_funded, 0))::integer as n_funded,
        -- consecutive observed years have the same difference between year and rank
        if(
            masks.fiscal_year - masks.year_index = entry.fiscal_year - entry.year_index,
            coalesce(funded.n_uninterrupted, 0), null
        )::integer as n_uninterrupted,
        if(masks.fiscal_year is null, null, ratio(coalesce(funded.n_funded, 0), grid.n_cohort)) as funded_share
    from grid
    join relation_masks as entry
        on grid.level = entry.level and grid.relation_key = entry.relation_key and grid.cohort_year = entry.fiscal_year
    left join relation_masks as masks
        on grid.level = masks.level and grid.relation_key = masks.relation_key and grid.fiscal_year = masks.fiscal_year
        and masks.is_complete
    left join funded
        on grid.level = funded.level and grid.relation_key = funded.relation_key
        and grid.cohort_year = funded.cohort_year and grid.fiscal_year = funded.fiscal_year
)
select * from final order by level, relation_key, cohort_year, fiscal_year;
