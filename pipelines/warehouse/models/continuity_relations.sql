-- Relations de financement : la première série d'années civiles financées d'un bénéficiaire par un financeur, et par un service suivi, et sa fin.
-- Finie si l'année suivante est observée et non financée ; sinon coupée par la fin des données. Durées connues seulement si l'année d'avant l'entrée est observée.

with source as (
    select * from relation_years
),
first_series as (
    from source
    qualify series = first(series) over (
        partition by level, relation_key, organisation_id order by fiscal_year
    )
),
spells as (
    select
        level, funder_id, relation_key, organisation_id,
        min(fiscal_year) as first_year,
        max(fiscal_year) as last_year,
        count(*)::integer as n_years,
        arg_min(is_previous_observed, fiscal_year) as is_entry_observed,
        arg_max(is_next_observed, fiscal_year) as is_ended
    from first_series
    group by all
),
final as (
    select
        spells.*,
        if(is_ended, n_years, n_years - 1)::integer as age_last_seen,
        case when is_ended then thresholds.basis in ('declared', 'legal', 'observed') end as below_threshold_possible
    from spells
    left join publication_thresholds as thresholds
        on spells.funder_id = thresholds.funder_id and spells.last_year = thresholds.fiscal_year
)
select * from final order by level, relation_key, organisation_id;
