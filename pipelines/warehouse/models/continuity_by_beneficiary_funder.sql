-- Continuité par bénéficiaire et financeur : années financées, série en cours et plus longue série, interruptions, dans les seules années observées.

with source as (
    select * from funded_years
),
runs as (
    select
        organisation_id, funder_id, run,
        count(*) as n_years,
        min(year_index) as first_index,
        max(year_index) as last_index,
        min(fiscal_year) as first_year,
        max(fiscal_year) as last_year
    from source
    group by all
),
masks as (
    select funder_id, count(*) as years_observed from observed_years group by funder_id
),
final as (
    select
        runs.organisation_id,
        runs.funder_id,
        any_value(masks.years_observed)::integer as years_observed,
        sum(n_years)::integer as years_funded,
        coalesce(max(n_years) filter (last_index = masks.years_observed), 0)::integer as run_current,
        max(n_years)::integer as run_max,
        (max(last_index) - min(first_index) + 1 - sum(n_years))::integer as gap_years,
        min(first_year) as first_year,
        max(last_year) as last_year,
        min(first_index) = 1 as is_left_censored,
        max(last_index) = any_value(masks.years_observed) as is_right_censored
    from runs
    join masks using (funder_id)
    group by runs.organisation_id, runs.funder_id
)
select * from final order by organisation_id, funder_id;
