-- Totaux de décisions énoncés par un financeur (contrat decision_count), un par ligne, avec ce qui les relie aux autres tables ; jamais ajoutés aux lignes de demandes.
-- Un total énoncé par plusieurs dépôts n'est compté que dans le plus récent ; énoncé deux fois autrement par un même dépôt, il n'est compté nulle part.

with source as (
    select totals.*, deposits.depositor, deposits.received_at, deposits.source_updated_at as deposit_updated_at
    from staged_decision_counts as totals
    join deposits using (deposit_id)
    where deposits.status = 'accepted' and deposits.is_current
),
real_deposit as (
    select coalesce(bool_or(status = 'accepted' and is_current and not is_demonstration), false) as has_arrived from deposits
),
named as (
    select distinct depositor, funder_name, funder_siren, slug(funder_name) as funder_slug from source
),
of_lines as (  -- the funder that the lines of the same folder name so
    select depositor, slug(funder_name) as funder_slug, min(funder_id) as funder_id
    from (select distinct depositor, funder_name, funder_id from applications)
    group by all
    having count(distinct funder_id) = 1
),
of_totals as (  -- one folder, one name, one SIREN: its totals without SIREN are the same funder's
    select depositor, funder_slug, min(funder_siren) as siren from named group by all having count(distinct funder_siren) = 1
),
funder_ids as (
    select
        named.depositor,
        named.funder_name,
        named.funder_siren,
        coalesce(
            named.funder_siren, of_lines.funder_id, of_totals.siren, named.funder_slug, 'financeur-' || left(md5(named.funder_name), 8)
        ) as funder_id
    from named
    left join of_lines using (depositor, funder_slug)
    left join of_totals using (depositor, funder_slug)
),
renamed as (
    select
        source.*,
        funder_ids.funder_id,
        if(source.service_name is null, null, funder_ids.funder_id || '/' || coalesce(slug(source.service_name), '-')) as service_key,
        coalesce(source.territory_code, slug(source.territory_name)) as territory_key
    from source
    join funder_ids
        on source.depositor = funder_ids.depositor
        and source.funder_name = funder_ids.funder_name
        and source.funder_siren is not distinct from funder_ids.funder_siren
),
ranked as (
    select
        *,
        dense_rank() over (
            cell order by coalesce(deposit_updated_at, received_at::date) desc, received_at desc, deposit_id desc
        ) as deposit_rank,
        count(distinct value) over (own_cell) as n_values,
        row_number() over (own_cell order by source_sheet, source_row, line_id) as place
    from renamed
    window
        cell as (partition by is_demonstration, funder_id, service_key, scheme, call_id, territory_level, territory_key, fiscal_year, measure, currency),
        own_cell as (partition by deposit_id, funder_id, service_key, scheme, call_id, territory_level, territory_key, fiscal_year, measure, currency)
),
final as (
    select
        line_id, deposit_id, source_sheet, source_row, depositor,
        funder_id, funder_name, funder_siren, funder_level, service_key, service_name, scheme, call_id,
        territory_level, territory_key, territory_code, territory_name,
        fiscal_year, measure, value, currency, coalesce(is_exhaustive, false) as is_exhaustive,
        source_name, source_url, licence, format_id, is_demonstration,
        case
            when is_demonstration and real_deposit.has_arrived then 'demonstration'
            when deposit_rank > 1 then 'restated'
            when n_values > 1 then 'contradicted'
            when place > 1 then 'repeated'
        end as not_counted_reason,
        not_counted_reason is null as is_counted
    from ranked
    cross join real_deposit
)
select * from final order by deposit_id, source_sheet, source_row, line_id;
