-- Années observées : les exercices complets d'un financeur (award_years), et le premier qui les suit, numérotés dans l'ordre. Une année absente n'est pas une perte.
-- is_complete : ce qui n'y est pas n'a pas été accordé. Dans le dernier, en cours ou presque vide, ce qui y est compte, ce qui n'y est pas ne prouve rien.

with complete as (
    select funder_id, max(fiscal_year) as last_complete from award_years where completeness = 'complete' group by funder_id
),
opened as (
    select years.funder_id, min(years.fiscal_year) as fiscal_year
    from award_years as years
    left join complete using (funder_id)
    where years.completeness <> 'complete' and years.fiscal_year > coalesce(complete.last_complete, 0)
    group by years.funder_id
),
source as (
    select funder_id, fiscal_year, true as is_complete from award_years where completeness = 'complete'
    union all
    select funder_id, fiscal_year, false as is_complete from opened
),
final as (
    select
        funder_id,
        fiscal_year,
        is_complete,
        (row_number() over years)::integer as year_index,
        coalesce(lag(fiscal_year) over years = fiscal_year - 1 and lag(is_complete) over years, false) as is_previous_observed,
        coalesce(lead(fiscal_year) over years = fiscal_year + 1 and lead(is_complete) over years, false) as is_next_observed
    from source
    window years as (partition by funder_id order by fiscal_year)
)
select * from final order by funder_id, fiscal_year;
