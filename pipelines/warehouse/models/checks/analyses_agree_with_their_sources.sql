-- Les tables d'analyse redonnent ce dont elles viennent : montants et attributions de chaque financeur, relations entrées, décisions de chaque niveau.
-- blocking: yes

with levels as (
    select level, sum(n_total) as n, sum(n_refused) as n_refused from refusal_rates group by level
),
decided as (
    select count(*) as n, count(*) filter (decision_status = 'refused') as n_refused from decisions
),
amounts as (
    select level, sum(n_lines) as n_lines, coalesce(sum(amount), 0) as amount
    from (
        select 'information ' || information as level, n_lines, amount from funding_coverage_by_funder_year
        union all
        select 'forme' as level, n_lines, amount from funding_by_aid_form_year
    )
    group by level
),
distributed as (
    select level, sum(n_positive) + sum(n_not_positive) + sum(n_without_amount) as n, sum(n_awards) as n_awards, coalesce(sum(amount), 0) as amount
    from funding_distribution
    where scope = 'all'
    group by level
),
paid as (
    select sum(n_lines) as n_lines, coalesce(sum(amount), 0) as amount from funding_by_funder_year
),
survival as (
    select level, relation_key, n_relations, sum(n_ended + n_censored) as n_out from continuity_survival group by all
),
entered as (
    select level, relation_key, count(*) as n, count(*) filter (age_last_seen > 0) as n_followed
    from continuity_relations
    where is_entry_observed
    group by all
)
select 'refusal_rates' as model, levels.level as part from levels cross join decided
where levels.n <> decided.n or levels.n_refused <> decided.n_refused
union all
select 'funding_coverage_by_funder_year' as model, amounts.level as part from amounts cross join paid
where amounts.n_lines <> paid.n_lines or amounts.amount <> paid.amount
union all
select 'funding_distribution' as model, distributed.level as part from distributed cross join paid
where distributed.n <> distributed.n_awards or distributed.amount <> paid.amount
union all
select 'continuity_survival' as model, survival.relation_key as part from survival join entered using (level, relation_key)
where survival.n_relations <> entered.n or survival.n_out <> entered.n_followed;
