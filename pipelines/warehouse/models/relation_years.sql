-- Années financées d'un bénéficiaire par un financeur, et par un service suivi, dans les années observées, avec l'année financée d'avant et d'après.
-- series numérote les années civiles qui se suivent : une année sans données interrompt ce qu'on peut suivre.

with source as (
    select distinct level, funder_id, relation_key, organisation_id, fiscal_year from relation_amounts where is_funded
),
final as (
    select
        source.*,
        masks.year_index,
        masks.is_previous_observed,
        masks.is_next_observed,
        lag(masks.year_index) over years as previous_index,
        lead(fiscal_year) over years as next_year,
        fiscal_year - (row_number() over years)::integer as series
    from source
    join relation_masks as masks using (level, funder_id, relation_key, fiscal_year)
    window years as (partition by level, relation_key, organisation_id order by fiscal_year)
)
select * from final order by level, relation_key, organisation_id, fiscal_year;
