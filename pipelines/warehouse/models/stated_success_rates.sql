-- Taux de réussite d'après les totaux énoncés : accordées ÷ déposées, par financeur, service, dispositif, appel, territoire et exercice. Aucun nombre de refus n'en est déduit.
-- status dit pourquoi un taux manque : ce qui n'est pas dans un tableau n'est pas publié, sauf si le tableau est dit exhaustif.

with source as (
    select * from stated_decisions where not is_superseded and coalesce(n_submitted, n_awarded) is not null
),
ruled as (
    select
        *,
        case
            when n_submitted is null then 'submitted_not_published'
            when n_awarded is null then 'awarded_not_published'
            when n_awarded > n_submitted then 'inconsistent'
            when n_submitted < getvariable('min_decisions') then 'counts_only'
            else 'shown'
        end as status
    from source
),
named as (  -- cells that are told apart by the same things make one table
    select
        *,
        concat_ws(
            ' · ', funder_id, coalesce(territory_level, if(territory_key is null, 'whole', 'other')),
            if(service_key is null, null, 'service'), if(scheme is null, null, 'scheme'), if(call_id is null, null, 'call')
        ) as stated_table,
        concat_ws(' · ', service_key, scheme, call_id, territory_key) as cell
    from ruled
),
with_refusals as (  -- what lines say of non-awards is published from lines alone
    select distinct funder_id, fiscal_year from decision_counts where n_total > n_awarded
),
sizes as (
    select funder_id, fiscal_year, stated_table, count(*) filter (status in ('shown', 'counts_only')) as n_cells
    from named
    group by all
),
public_tables as (  -- one table by funder and year: two cuts of the same applications could be set against each other
    select funder_id, fiscal_year, arg_min(stated_table, row(-n_cells, stated_table)) as stated_table
    from sizes
    anti join with_refusals using (funder_id, fiscal_year)
    group by all
),
final as (
    select
        funder_id, funder_name, service_key, service_name, scheme, call_id, territory_level, territory_key, territory_name,
        fiscal_year,
        status,
        n_submitted,
        n_awarded,
        if(status = 'shown', ratio(n_awarded, n_submitted), null) as success_rate,
        if(status = 'shown', wilson_low(n_awarded, n_submitted), null) as wilson_low,
        if(status = 'shown', wilson_high(n_awarded, n_submitted), null) as wilson_high,
        stated_table,
        cell,
        public_tables.funder_id is not null as is_public_table,
        is_demonstration
    from named
    left join public_tables using (funder_id, fiscal_year, stated_table)
)
select * from final order by funder_id, service_key, scheme, call_id, territory_level, territory_key, fiscal_year;
