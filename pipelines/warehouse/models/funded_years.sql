-- Années financées : chaque bénéficiaire et financeur, dans les années observées du financeur, avec l'année financée d'avant et d'après.
-- Une année est financée si une subvention d'un montant positif ou non précisé y est comptée.

with source as (
    select distinct organisation_id, funder_id, fiscal_year from funding_years where coalesce(amount, 1) > 0
),
renamed as (
    select source.*, observed_years.year_index, observed_years.is_next_observed
    from source
    join observed_years using (funder_id, fiscal_year)
),
final as (
    select
        organisation_id,
        funder_id,
        fiscal_year,
        year_index,
        lag(year_index) over years as previous_index,
        lead(fiscal_year) over years as next_year,
        year_index - (row_number() over years)::integer as run
    from renamed
    window years as (partition by organisation_id, funder_id order by year_index)
)
select * from final order by organisation_id, funder_id, fiscal_year;
