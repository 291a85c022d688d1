-- Continuité par bénéficiaire, tous financeurs : une année est observable si l'un au moins de ses financeurs y a des données.

with source as (
    select * from continuity_by_beneficiary_funder
),
masks as (  -- the beneficiary's observable years, numbered
    select
        organisation_id,
        fiscal_year,
        row_number() over (partition by organisation_id order by fiscal_year) as year_index,
        count(*) over (partition by organisation_id) as years_observed
    from (
        select distinct source.organisation_id, observed_years.fiscal_year
        from source
        join observed_years using (funder_id)
    )
),
funded as (
    select distinct organisation_id, fiscal_year from funded_years
),
islands as (
    select
        masks.organisation_id, masks.fiscal_year, masks.year_index, masks.years_observed,
        masks.year_index - row_number() over (partition by masks.organisation_id order by masks.year_index) as run
    from masks
    join funded using (organisation_id, fiscal_year)
),
runs as (
    select
        organisation_id, run, count(*) as n_years, max(year_index) = any_value(years_observed) as is_current,
        min(fiscal_year) as first_year, max(fiscal_year) as last_year
    from islands
    group by all
),
funders_of as (
    select organisation_id, count(*) as n_funders from source group by organisation_id
),
final as (
    select
        runs.organisation_id,
        sum(runs.n_years)::integer as years_funded,
        any_value(funders_of.n_funders)::integer as n_funders,
        max(runs.n_years)::integer as run_max,
        coalesce(max(runs.n_years) filter (runs.is_current), 0)::integer as run_current,
        min(runs.first_year) as first_year,
        max(runs.last_year) as last_year
    from runs
    join funders_of using (organisation_id)
    group by runs.organisation_id
)
select * from final order by organisation_id;
