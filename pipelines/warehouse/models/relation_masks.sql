-- Années observées de chaque financeur et de chaque service suivi : celles du financeur (observed_years) où ses données montrent une attribution. Une année sans données n'est pas observable.

with awarding as (
    select distinct funder_id, service_key, fiscal_year from applications where is_counted and is_award and is_grant
),
keyed as (
    select 'funder' as level, funder_id, funder_id as relation_key, fiscal_year, is_complete from observed_years
    union
    select 'service' as level, funder_id, lineage_key as relation_key, fiscal_year, is_complete
    from awarding
    join service_lineage using (service_key)
    join observed_years using (funder_id, fiscal_year)
),
final as (
    select
        *,
        (row_number() over years)::integer as year_index,
        coalesce(lag(fiscal_year) over years = fiscal_year - 1 and lag(is_complete) over years, false) as is_previous_observed,
        coalesce(lead(fiscal_year) over years = fiscal_year + 1 and lead(is_complete) over years, false) as is_next_observed
    from keyed
    window years as (partition by level, relation_key order by fiscal_year)
)
select * from final order by level, relation_key, fiscal_year;
