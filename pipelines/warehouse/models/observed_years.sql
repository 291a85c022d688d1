-- Années observées : les exercices pour lesquels un financeur a des lignes comptées, numérotés dans l'ordre. Une année absente n'est pas une perte.

with source as (
    select distinct funder_id, fiscal_year from applications where is_counted and is_award
),
final as (
    select
        funder_id,
        fiscal_year,
        (row_number() over (partition by funder_id order by fiscal_year))::integer as year_index,
        coalesce(lag(fiscal_year) over (partition by funder_id order by fiscal_year) = fiscal_year - 1, false) as is_previous_observed,
        coalesce(lead(fiscal_year) over (partition by funder_id order by fiscal_year) = fiscal_year + 1, false) as is_next_observed
    from source
)
select * from final order by funder_id, fiscal_year;
