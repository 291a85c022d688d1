-- Années observées de chaque financeur, celles dont il a des lignes comptées, et de chaque service suivi, celles où il accorde au moins une subvention. Une année sans données n'est pas observable.

with awarding as (
    select distinct funder_id, service_key, fiscal_year from applications where is_counted and is_award and is_grant
),
keyed as (
    select 'funder' as level, funder_id, funder_id as relation_key, fiscal_year from observed_years
    union
    -- a year in which a service only refuses is left out: what is published of services follows from awards alone
    select 'service' as level, funder_id, lineage_key as relation_key, fiscal_year
    from awarding
    join service_lineage using (service_key)
),
final as (
    select
        *,
        (row_number() over years)::integer as year_index,
        coalesce(lag(fiscal_year) over years = fiscal_year - 1, false) as is_previous_observed,
        coalesce(lead(fiscal_year) over years = fiscal_year + 1, false) as is_next_observed
    from keyed
    window years as (partition by level, relation_key order by fiscal_year)
)
select * from final order by level, relation_key, fiscal_year;
