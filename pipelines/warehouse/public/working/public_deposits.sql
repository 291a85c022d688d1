-- Dépôts tels que le public les voit : un identifiant qui ne vient pas du contenu, et si leurs nombres de lignes peuvent être dits sans trahir un petit nombre de refus.

with source as (
    select
        deposit_id, funder_id, fiscal_year, is_counted,
        count(*) filter (is_award) as n_award_lines,
        count(*) filter (not is_award) as n_other_lines
    from funding.applications
    group by all
),
told as (  -- funder-years whose every count is printed
    select funder_id, fiscal_year from refusal_rates_by_funder_year where n_total is not null
),
cells as (
    select
        deposit_id,
        n_other_lines = 0 as is_awards_only,
        n_other_lines = 0 or (
            n_other_lines >= getvariable('min_count')
            and n_award_lines >= getvariable('min_count')
            and n_other_lines + n_award_lines >= getvariable('min_decisions')
            and (not is_counted or told.funder_id is not null)
        ) as is_countable
    from source
    left join told using (funder_id, fiscal_year)
),
rules as (
    select deposit_id, bool_and(is_awards_only) as is_awards_only, bool_and(is_countable) as is_countable from cells group by deposit_id
),
real_deposit as (  -- demonstration files leave the pages with the first real one
    select coalesce(bool_or(status = 'accepted' and is_current and not is_demonstration), false) as has_arrived from funding.deposits
),
final as (
    select
        deposits.deposit_id,
        'depot-' || left(md5(concat_ws('/', depositor, relative_path, row_number() over (
            partition by depositor, relative_path order by received_at, deposits.deposit_id
        ))), 12) as public_id,
        coalesce(rules.is_awards_only, status = 'refused') as is_awards_only,
        coalesce(rules.is_countable, status = 'refused') as is_countable
    from funding.deposits
    left join rules using (deposit_id)
    cross join real_deposit
    where not (deposits.is_demonstration and real_deposit.has_arrived)
)
select * from final order by deposit_id;
