-- Part du pluriannuel dans les subventions décidées chaque année, en nombre et en montant ; ferme ou prévisionnel seulement quand le fichier le dit. Montants des personnes morales seulement.

with others as (
    select
        funder_id, fiscal_year, currency, stage,
        sum(amount_headline) as amount,
        sum(amount_headline) filter (is_multi_year) as amount_multi_year,
        sum(amount_headline) filter (is_multi_year and year_certainty = 'firm') as amount_multi_year_firm
    from other_awards
    group by all
),
final as (
    select mart.* replace (
        mart.amount - coalesce(others.amount, 0) as amount,
        mart.amount_multi_year - coalesce(others.amount_multi_year, 0) as amount_multi_year,
        mart.amount_multi_year_firm - coalesce(others.amount_multi_year_firm, 0) as amount_multi_year_firm
    )
    from funding.continuity_multi_year_by_funder_year as mart
    left join others
        on mart.funder_id = others.funder_id and mart.fiscal_year = others.fiscal_year and mart.stage = others.stage
        and mart.currency is not distinct from others.currency
)
select * from final order by funder_id, fiscal_year;
