-- Sources de ce qui est publié : qui l'a publié, où, sous quelle licence, et la date de mise à jour la plus récente.

with grants as (
    select lines.funder_id, 'grants' as content, source_name, source_url, licence, max(source_updated_at) as source_updated_at
    from funding.applications as lines
    semi join funders using (funder_id)
    where lines.is_counted
    group by all
),
totals as (
    select lines.funder_id, 'totals' as content, source_name, source_url, licence, null::date as source_updated_at
    from funding.stated_totals as lines
    semi join funders using (funder_id)
    where lines.is_counted
    group by all
),
calls as (
    select funder_id, 'calls' as content, source_name, null as source_url, licence, max(source_updated_at) as source_updated_at
    from funding.calls
    where is_declared
    group by all
),
final as (
    select * from grants union all select * from totals union all select * from calls
)
select * from final order by funder_id, content, source_name, source_url, licence;
