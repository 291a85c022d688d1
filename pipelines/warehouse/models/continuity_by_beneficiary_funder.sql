-- Continuité par bénéficiaire et financeur : années financées, série en cours et plus longue série, interruptions, dans les seules années observées ; une année incomplète ne compte que si elle est financée.

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
masks as (  -- an incomplete year is the last one
    select funder_id, count(*) filter (is_complete) as n_complete from observed_years group by funder_id
),
final as (
    select
        runs.organisation_id,
        runs.funder_id,
        greatest(any_value(masks.n_complete), max(last_index))::integer as years_observed,
        sum(n_years)::integer as years_funded,
        coalesce(max(n_years) filter (last_index >= masks.n_complete), 0)::integer as run_current,
        max(n_years)::integer as run_max,
        (max(last_index) - min(first_index) + 1 - sum(n_years))::integer as gap_years,
        min(first_year) as first_year,
        max(last_year) as last_year,
        min(first_index) = 1 as is_left_censored,
        max(last_index) >= any_value(masks.n_complete) as is_right_censored
    from runs
    join masks using (funder_id)
    group by runs.organisation_id, runs.funder_id
)
select * from final order by organisation_id, funder_id;
