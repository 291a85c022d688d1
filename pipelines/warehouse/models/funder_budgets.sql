-- Budgets de subventions que les financeurs annoncent par exercice, en euros, pour tout ou pour un service ou un dispositif (« — » : tout).
-- Vide quand deux dossiers annoncent autre chose. Un budget annoncé n'est pas un montant accordé.

with declared as (
    select
        depositor, funder_siren, slug(funder_name) as funder_slug, fiscal_year, service_name, scheme,
        budget::decimal(18, 2) as amount_budget, budget_source
    from given_declarations
    where budget is not null
),
matched as (  -- the funder it names, else every funder of the folder when there is one only
    select distinct declared.*, funder_identities.funder_id
    from declared
    join funder_identities
        on declared.depositor = funder_identities.depositor
        and (
            declared.funder_siren = funder_identities.funder_id
            or declared.funder_slug = funder_identities.funder_slug
            or coalesce(declared.funder_siren, declared.funder_slug) is null
                and funder_identities.depositor in (
                    select depositor from funder_identities group by depositor having count(distinct funder_id) = 1
                )
        )
),
final as (
    select
        funder_id,
        fiscal_year,
        coalesce(service_name, '—') as service_name,
        coalesce(scheme, '—') as scheme,
        if(min(amount_budget) = max(amount_budget), min(amount_budget), null) as amount_budget,
        string_agg(distinct budget_source, ', ' order by budget_source) as budget_source
    from matched
    group by all
)
select * from final order by funder_id, fiscal_year, service_name, scheme;
