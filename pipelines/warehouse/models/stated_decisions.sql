-- Totaux énoncés, une ligne par cellule (financeur, service, dispositif, appel, territoire, exercice), à côté de ce que donnent les lignes de demandes de la même cellule.
-- Où ces lignes contiennent des demandes non accordées, elles l'emportent (is_superseded) ; les deux ne sont jamais additionnés.

with source as (
    select * from stated_totals where is_counted
),
cells as (
    select
        funder_id, service_key, scheme, call_id, territory_level, territory_key, fiscal_year,
        min(funder_name) as funder_name,
        min(service_name) as service_name,
        min(territory_name) as territory_name,
        (max(value) filter (measure = 'submitted'))::integer as n_submitted,
        (max(value) filter (measure = 'awarded'))::integer as n_awarded,
        (max(value) filter (measure = 'refused'))::integer as n_refused,
        (max(value) filter (measure = 'inadmissible'))::integer as n_inadmissible,
        (max(value) filter (measure = 'withdrawn'))::integer as n_withdrawn,
        (max(value) filter (measure = 'closed_no_action'))::integer as n_closed,
        (max(value) filter (measure = 'pending'))::integer as n_pending,
        count(distinct currency) filter (measure like 'amount%') as n_currencies,
        min(currency) filter (measure like 'amount%') as any_currency,
        max(value) filter (measure = 'amount_requested') as any_requested,
        max(value) filter (measure = 'amount_awarded') as any_awarded,
        max(value) filter (measure = 'amount_paid') as any_paid,
        bool_or(is_demonstration) as is_demonstration
    from source
    group by all
),
exhaustive as (  -- a table said to be exhaustive: a cell that it leaves out is worth zero
    select distinct funder_id, service_key, scheme, call_id, territory_level, fiscal_year, measure
    from source
    where is_exhaustive
),
completed as (
    select
        cells.* exclude (n_submitted, n_awarded),
        coalesce(cells.n_submitted, if(all_submitted.measure is not null, 0, null)) as n_submitted,
        coalesce(cells.n_awarded, if(all_awarded.measure is not null, 0, null)) as n_awarded
    from cells
    left join exhaustive as all_submitted
        on all_submitted.measure = 'submitted'
        and cells.funder_id = all_submitted.funder_id
        and cells.service_key is not distinct from all_submitted.service_key
        and cells.scheme is not distinct from all_submitted.scheme
        and cells.call_id is not distinct from all_submitted.call_id
        and cells.territory_level is not distinct from all_submitted.territory_level
        and cells.fiscal_year = all_submitted.fiscal_year
    left join exhaustive as all_awarded
        on all_awarded.measure = 'awarded'
        and cells.funder_id = all_awarded.funder_id
        and cells.service_key is not distinct from all_awarded.service_key
        and cells.scheme is not distinct from all_awarded.scheme
        and cells.call_id is not distinct from all_awarded.call_id
        and cells.territory_level is not distinct from all_awarded.territory_level
        and cells.fiscal_year = all_awarded.fiscal_year
),
places as (
    select code as departement_code, region_code from reference_departements
),
lines as (  -- the lines of a cell, where its territory is one that lines have and it names no call
    select
        completed.funder_id, completed.service_key, completed.scheme, completed.call_id, completed.territory_level,
        completed.territory_key, completed.fiscal_year,
        sum(counts.n_total)::integer as n_lines_total,
        sum(counts.n_awarded)::integer as n_lines_awarded,
        sum(counts.n_refused)::integer as n_lines_refused
    from completed
    join decision_counts as counts
        on completed.funder_id = counts.funder_id
        and completed.fiscal_year = counts.fiscal_year
        and (completed.service_key is null or completed.service_key = counts.service_key)
        and (completed.scheme is null or completed.scheme = counts.scheme)
        and completed.call_id is null
    left join places using (departement_code)
    where completed.territory_level is null and completed.territory_key is null
        or completed.territory_level = 'departement' and completed.territory_key = counts.departement_code
        or completed.territory_level = 'region' and completed.territory_key = places.region_code
    group by all
),
final as (
    select
        completed.funder_id, completed.funder_name, completed.service_key, completed.service_name, completed.scheme,
        completed.call_id, completed.territory_level, completed.territory_key, completed.territory_name,
        completed.fiscal_year,
        n_submitted, n_awarded, n_refused, n_inadmissible, n_withdrawn, n_closed, n_pending,
        if(n_currencies = 1, any_requested, null) as amount_requested,
        if(n_currencies = 1, any_awarded, null) as amount_awarded,
        if(n_currencies = 1, any_paid, null) as amount_paid,
        if(n_currencies = 1, any_currency, null) as currency,
        n_lines_total, n_lines_awarded, n_lines_refused,
        coalesce(n_lines_total > n_lines_awarded, false) as is_superseded,
        nullif(concat_ws(
            ',',
            if(n_lines_total > n_lines_awarded and n_submitted <> n_lines_total, 'n_submitted', null),
            if(n_awarded <> n_lines_awarded, 'n_awarded', null),
            if(n_lines_total > n_lines_awarded and n_refused <> n_lines_refused, 'n_refused', null)
        ), '') as disagreeing_columns,
        is_demonstration
    from completed
    left join lines
        on completed.funder_id = lines.funder_id
        and completed.service_key is not distinct from lines.service_key
        and completed.scheme is not distinct from lines.scheme
        and completed.call_id is not distinct from lines.call_id
        and completed.territory_level is not distinct from lines.territory_level
        and completed.territory_key is not distinct from lines.territory_key
        and completed.fiscal_year = lines.fiscal_year
)
select * from final order by funder_id, service_key, scheme, call_id, territory_level, territory_key, fiscal_year;
