-- Concentration des subventions d'un financeur entre ses bénéficiaires, par exercice : part des 1, 5 et 10 premiers, indice de Herfindahl-Hirschman (Σ part²) et nombre équivalent de bénéficiaires (1 ÷ indice).
-- Subventions publiques observées seulement, montant net de chaque bénéficiaire ; un montant net nul, négatif ou inconnu n'y entre pas et est compté à côté. scope : all, tous ; legal, personnes morales.

with source as (
    select
        funder_id, fiscal_year, currency, stage, organisation_id,
        (sum(amount_headline) * 100)::hugeint as cents  -- whole cents: squares that do not depend on their order
    from applications
    where is_counted and is_award and is_grant
    group by funder_id, fiscal_year, currency, stage, organisation_id
),
scoped as (
    select 'all' as scope, * from source
    union all
    select 'legal' as scope, source.* from source semi join (from organisations where kind = 'legal') using (organisation_id)
),
summed as (
    select
        scope, funder_id, fiscal_year, currency, stage,
        count(*) filter (cents > 0) as n_beneficiaries,
        count(*) filter (coalesce(cents, 0) <= 0) as n_without_positive_amount,
        sum(cents) filter (cents > 0) as total,
        sum(cents * cents) filter (cents > 0) as squares,
        max(cents::bigint, 10) filter (cents > 0) as greatest_ten
    from scoped
    group by scope, funder_id, fiscal_year, currency, stage
),
final as (
    select
        scope,
        funder_id,
        fiscal_year,
        currency,
        stage,
        n_beneficiaries::integer as n_beneficiaries,
        n_without_positive_amount::integer as n_without_positive_amount,
        (total * 0.01)::decimal(18, 2) as amount,
        greatest_ten[1] / total::double as share_top_1,
        list_sum(greatest_ten[1:5])::double / total::double as share_top_5,
        list_sum(greatest_ten)::double / total::double as share_top_10,
        squares::double / total::double ** 2 as hhi,
        total::double ** 2 / squares::double as effective_number
    from summed
)
select * from final order by scope, funder_id, fiscal_year, currency, stage;
