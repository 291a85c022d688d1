-- Continuité par service suivi et exercice : entrées, renouvellements, retours, pertes et taux de maintien, une fusion de services suivie sous le service qui succède.
-- Entrées, renouvellements et retours se comptent par rapport aux années observées d'avant, et restent vides la première ; pertes et maintiens seulement si l'année suivante est observée.

with source as (
    select * from relation_years where level = 'service'
),
flows as (
    select
        relation_key, fiscal_year,
        count(*) as n_funded,
        count(*) filter (previous_index is null) as n_entries,
        count(*) filter (previous_index = year_index - 1) as n_renewals,
        count(*) filter (previous_index < year_index - 1) as n_returns,
        count(*) filter (next_year = fiscal_year + 1) as n_kept_next
    from source
    group by all
),
final as (
    select
        years.funder_id,
        years.relation_key,
        years.fiscal_year,
        coalesce(flows.n_funded, 0)::integer as n_funded,
        if(years.year_index > 1, coalesce(flows.n_entries, 0), null)::integer as n_entries,
        if(years.year_index > 1, coalesce(flows.n_renewals, 0), null)::integer as n_renewals,
        if(years.year_index > 1, coalesce(flows.n_returns, 0), null)::integer as n_returns,
        if(years.is_next_observed, coalesce(flows.n_funded - flows.n_kept_next, 0), null)::integer as n_lost_next,
        if(years.is_next_observed, coalesce(flows.n_kept_next, 0), null)::integer as n_kept_next,
        if(years.is_next_observed, ratio(flows.n_kept_next, flows.n_funded), null) as retention_rate,
        years.is_complete,
        years.is_next_observed,
        years.is_previous_observed
    from relation_masks as years
    left join flows using (relation_key, fiscal_year)
    where years.level = 'service'
)
select * from final order by funder_id, relation_key, fiscal_year;
