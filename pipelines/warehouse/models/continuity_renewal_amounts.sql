-- Variation du montant au renouvellement : bénéficiaires financés deux années civiles de suite par un financeur, ou un service suivi, dans la même monnaie et à la même étape, investissement mis à part ; exercices complets seulement.
-- Une hausse et une baisse de même rapport pèsent autant : |Δ ln| = |ln(montant ÷ montant d'avant)| ; en euros courants.

with source as (
    select * from relation_amounts where amount_recurring > 0 and is_complete
),
pairs as (
    select
        level, funder_id, relation_key, organisation_id, fiscal_year, currency, stage, amount_recurring as amount,
        lag(amount_recurring) over years as amount_before,
        lag(fiscal_year) over years as year_before
    from source
    window years as (partition by level, relation_key, organisation_id, currency, stage order by fiscal_year)
),
final as (
    select
        level,
        funder_id,
        relation_key,
        fiscal_year,
        currency,
        stage,
        count(*)::integer as n_renewals_with_amount,
        median(abs(ln(amount::double / amount_before::double))) as median_log_change,
        median(amount::double / amount_before::double) as median_ratio,
        ratio(count(*) filter (amount > amount_before), count(*)) as share_up,
        ratio(count(*) filter (amount < amount_before), count(*)) as share_down,
        ratio(count(*) filter (amount = amount_before), count(*)) as share_equal
    from pairs
    where year_before = fiscal_year - 1
    group by level, funder_id, relation_key, fiscal_year, currency, stage
)
select * from final order by level, relation_key, fiscal_year, currency, stage;
