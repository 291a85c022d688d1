-- Concentration des financeurs d'un bénéficiaire, par exercice : part du premier, indice de Herfindahl-Hirschman (Σ part²) et nombre équivalent de financeurs (1 ÷ indice).
-- Subventions publiques observées seulement : ce n'est pas la dépendance financière de l'organisme, dont les autres ressources ne sont pas connues.

with source as (
    select
        organisation_id, fiscal_year, currency, stage, funder_id,
        (sum(amount_headline) * 100)::hugeint as cents  -- whole cents: squares that do not depend on their order
    from applications
    where is_counted and is_award and is_grant
    group by organisation_id, fiscal_year, currency, stage, funder_id
),
final as (
    select
        organisation_id,
        fiscal_year,
        currency,
        stage,
        count(*) filter (cents > 0)::integer as n_funders,
        count(*) filter (coalesce(cents, 0) <= 0)::integer as n_without_positive_amount,
        (sum(cents) filter (cents > 0) * 0.01)::decimal(18, 2) as amount,
        arg_min(funder_id, row(-cents, funder_id)) filter (cents > 0) as top_funder_id,
        (max(cents) filter (cents > 0))::double / (sum(cents) filter (cents > 0))::double as share_top_1,
        (sum(cents * cents) filter (cents > 0))::double / (sum(cents) filter (cents > 0))::double ** 2 as hhi,
        (sum(cents) filter (cents > 0))::double ** 2 / (sum(cents * cents) filter (cents > 0))::double as effective_number
    from source
    group by organisation_id, fiscal_year, currency, stage
)
select * from final order by organisation_id, fiscal_year, currency, stage;
