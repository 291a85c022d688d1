-- Durée des conventions pluriannuelles par financeur et année de début, chaque convention comptée une fois.

with source as (
    select *, end_year - start_year + 1 as term from continuity_agreements
),
final as (
    select
        funder_id,
        start_year,
        currency,
        stage,
        count(*)::integer as n_agreements,
        ratio(sum(term), count(*)) as mean_term,
        median(term::double) as median_term,
        sum(amount) as amount,
        count(*) filter (amount is null)::integer as n_without_amount
    from source
    group by funder_id, start_year, currency, stage
)
select * from final order by funder_id, start_year, currency, stage;
