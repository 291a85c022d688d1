-- Irrégularité des montants : bénéficiaires financés au moins trois exercices complets par un financeur, ou un service suivi, dans la même monnaie et à la même étape, investissement mis à part ; en euros courants.

with source as (
    select
        level, funder_id, relation_key, organisation_id, fiscal_year, currency, stage,
        (amount_recurring * 100)::hugeint as cents,  -- whole cents: sums that do not depend on their order
        abs(ln(amount_recurring::double / lag(amount_recurring) over years::double)) as log_change,
        lag(fiscal_year) over years = fiscal_year - 1 as is_next_to
    from relation_amounts
    where amount_recurring > 0 and is_complete
    window
        years as (partition by level, relation_key, organisation_id, currency, stage order by fiscal_year),
        relation as (partition by level, relation_key, organisation_id, currency, stage)
    qualify count(*) over relation >= 3
),
by_beneficiary as (
    select
        level, funder_id, relation_key, organisation_id, currency, stage,
        sqrt(
            (count(*) * sum(cents * cents) - sum(cents) * sum(cents))::double / (count(*) * (count(*) - 1))
        ) / (sum(cents)::double / count(*)) as variation,
        -- of a list: a million groups of median() fill the memory, and are written aside
        list_median(list(log_change) filter (is_next_to)) as log_change
    from source
    group by level, funder_id, relation_key, organisation_id, currency, stage
),
final as (
    select
        level,
        funder_id,
        relation_key,
        currency,
        stage,
        count(*)::integer as n_followed,
        median(variation) as median_variation,
        median(log_change) as median_log_change
    from by_beneficiary
    group by level, funder_id, relation_key, currency, stage
)
select * from final order by level, relation_key, currency, stage;
