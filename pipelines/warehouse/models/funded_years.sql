-- Années financées : chaque bénéficiaire et financeur, dans les années observées du financeur, avec l'année financée d'avant et d'après.
-- Une année est financée si le total d'une étape et d'une monnaie y est positif, ou si le montant d'une subvention n'est pas précisé : une attribution reprise en entier ne finance pas l'année.

with source as (
    select * from relation_years where level = 'funder'
),
final as (
    select
        organisation_id,
        funder_id,
        fiscal_year,
        year_index,
        is_next_observed,
        previous_index,
        next_year,
        year_index - (row_number() over years)::integer as run
    from source
    window years as (partition by organisation_id, funder_id order by year_index)
)
select * from final order by organisation_id, funder_id, fiscal_year;
