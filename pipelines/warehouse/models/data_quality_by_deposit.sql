-- Fichiers déposés avec leurs comptes et les montants de leurs lignes acceptées, étape par étape.

with source as (
    select * from applications
),
amounts as (
    select
        deposit_id,
        min(fiscal_year) as first_year,
        max(fiscal_year) as last_year,
        count(*) filter (is_counted)::integer as n_lines_counted,
        count(*) filter (is_award and is_grant)::integer as n_award_lines,
        if(count(distinct currency) = 1, min(currency), null) as currency,
        if(count(distinct stage) = 1, min(stage), null) as stage,
        sum(amount_requested) as amount_requested,
        sum(amount_proposed) as amount_proposed,
        sum(amount_awarded) as amount_awarded,
        sum(amount_committed) as amount_committed,
        sum(amount_paid) as amount_paid,
        sum(amount_clawed_back) as amount_clawed_back
    from source
    group by deposit_id
),
final as (
    select
        deposits.*,
        amounts.* exclude (deposit_id, currency) replace (
            if(currency is null, null, amount_requested) as amount_requested,
            if(currency is null, null, amount_proposed) as amount_proposed,
            if(currency is null, null, amount_awarded) as amount_awarded,
            if(currency is null, null, amount_committed) as amount_committed,
            if(currency is null, null, amount_paid) as amount_paid,
            if(currency is null, null, amount_clawed_back) as amount_clawed_back
        ),
        amounts.currency
    from deposits
    left join amounts using (deposit_id)
)
select * from final order by deposit_id;
