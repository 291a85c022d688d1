-- Continuité par bénéficiaire, tous financeurs : une année est observable si l'un au moins de ses financeurs y a un exercice complet, ou si elle est financée.

with source as (
    select * from continuity_by_beneficiary_funder
),
seen as (  -- the beneficiary's observable years; an incomplete one only if it is funded
    select source.organisation_id, years.fiscal_year, bool_or(years.is_complete) as is_complete
    from source
    join observed_years as years using (funder_id)
    group by all
),
funded as (
    select distinct organisation_id, fiscal_year from funded_years
),
masks as (
    select
        seen.organisation_id, seen.fiscal_year, funded.fiscal_year is not null as is_funded,
        row_number() over (partition by seen.organisation_id order by seen.fiscal_year) as year_index,
        max(seen.fiscal_year) filter (seen.is_complete) over (partition by seen.organisation_id) as last_complete
    from seen
    left join funded using (organisation_id, fiscal_year)
    where seen.is_complete or funded.fiscal_year is not null
),
islands as (
    select *, year_index - row_number() over (partition by organisation_id order by year_index) as run
    from masks
    where is_funded
),
runs as (
    select
        organisation_id, run, count(*) as n_years, max(fiscal_year) >= coalesce(any_value(last_complete), 0) as is_current,
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
