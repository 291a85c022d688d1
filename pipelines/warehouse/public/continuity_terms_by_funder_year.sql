-- Durée des conventions pluriannuelles par financeur et année de début, chaque convention comptée une fois. Montants des personnes morales seulement.

with others as (
    select funder_id, start_year, currency, stage, sum(amount) as amount
    from funding.continuity_agreements
    semi join other_awards using (organisation_id)
    group by all
),
final as (
    select mart.* replace (mart.amount - coalesce(others.amount, 0) as amount)
    from funding.continuity_terms_by_funder_year as mart
    left join others
        on mart.funder_id = others.funder_id and mart.start_year = others.start_year and mart.stage = others.stage
        and mart.currency is not distinct from others.currency
)
select * from final order by funder_id, start_year, currency, stage;
