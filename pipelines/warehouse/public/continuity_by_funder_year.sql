-- Continuité par financeur et exercice : entrées, renouvellements, retours, pertes et taux de maintien.
-- Entrées, renouvellements et retours se comptent par rapport aux années observées d'avant, et restent vides la première ; pertes et maintiens seulement si l'année suivante est observée. Montants des personnes morales seulement.

with others as (
    select funder_id, fiscal_year, currency, stage, sum(amount) as amount
    from funding.funding_years
    semi join other_awards using (organisation_id)
    group by all
),
final as (
    select mart.* replace (mart.amount - coalesce(others.amount, 0) as amount)
    from funding.continuity_by_funder_year as mart
    left join others
        on mart.funder_id = others.funder_id and mart.fiscal_year = others.fiscal_year and mart.stage = others.stage
        and mart.currency is not distinct from others.currency
    where mart.n_funded > 0
)
select * from final order by funder_id, fiscal_year;
