-- Taux de réussite d'après les totaux énoncés par un financeur qui ne publie pas ses demandes une par une : accordées ÷ déposées, par territoire et exercice, puis pour leur ensemble.
-- Un nombre de demandes déposées n'est donné que si ce qui n'a pas été accordé ne désigne personne ; status dit pourquoi il manque.

with source as (
    select * from funding.stated_success_rates where is_public_table
),
cells as (
    select
        source.* exclude (n_submitted, success_rate, wilson_low, wilson_high, status),
        case
            when source.status in ('awarded_not_published', 'submitted_not_published') then 'not_published'
            when source.status = 'inconsistent' then 'inconsistent'
            when shown.fiscal_year is null then 'suppressed'
            else 'shown'
        end as status,
        source.n_submitted as stated_submitted
    from source
    left join shown_stated_cells as shown using (stated_table, fiscal_year, cell)
),
wholes as (  -- all the cells of a table that state both numbers
    select
        source.stated_table,
        source.fiscal_year,
        min(source.funder_id) as funder_id,
        min(source.funder_name) as funder_name,
        sum(source.n_submitted)::integer as stated_submitted,
        sum(source.n_awarded)::integer as n_awarded,
        if(bool_or(shown.fiscal_year is not null), 'shown', 'suppressed') as status,
        bool_or(source.is_demonstration) as is_demonstration
    from source
    left join shown_stated_wholes as shown using (stated_table, fiscal_year)
    where source.status in ('shown', 'counts_only')
    group by all
    having count(*) > 1
),
together as (
    select
        funder_id, funder_name, false as is_whole, service_name, scheme, call_id, territory_level, territory_name, fiscal_year,
        status, stated_submitted, n_awarded, is_demonstration
    from cells
    union all by name
    select
        funder_id, funder_name, true as is_whole, fiscal_year, status, stated_submitted, n_awarded, is_demonstration
    from wholes
),
final as (
    select
        funder_id,
        funder_name,
        is_whole,
        service_name,
        scheme,
        call_id,
        territory_level,
        territory_name,
        fiscal_year,
        status,
        if(status = 'shown', stated_submitted, null) as n_submitted,
        n_awarded,
        if(status = 'shown', ratio(n_awarded, stated_submitted), null) as success_rate,
        if(status = 'shown', wilson_low(n_awarded, stated_submitted), null) as wilson_low,
        if(status = 'shown', wilson_high(n_awarded, stated_submitted), null) as wilson_high,
        if(status = 'shown', getvariable('as_of')::date, null) as figures_date,
        false as is_former,
        is_demonstration
    from together
)
select * from final order by funder_id, fiscal_year, is_whole desc, service_name, scheme, call_id, territory_level, territory_name;
