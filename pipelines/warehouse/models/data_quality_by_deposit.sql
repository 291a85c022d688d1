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
        count(*) filter (not_counted_reason = 'reported_elsewhere')::integer as n_lines_elsewhere,
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
to_review as (
    select deposit_id, count(*)::integer as n_lines_to_review
    from (
        select deposit_id from linked_lines where not is_sure
        union all
        select other_deposit_id from linked_lines where not is_sure
    )
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
        amounts.currency,
        coalesce(to_review.n_lines_to_review, 0) as n_lines_to_review
    from deposits
    left join amounts using (deposit_id)
    left join to_review using (deposit_id)
)
select * from final order by deposit_id;
