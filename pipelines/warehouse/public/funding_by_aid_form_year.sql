-- Aides par financeur, forme (numéraire, nature, prêt, garantie) et exercice ; prêts et garanties ne sont pas des subventions et ne s'y ajoutent pas. Prêts et garanties des personnes morales seulement.

with others as (
    select
        funder_id, coalesce(aid_form, 'unknown') as aid_form, fiscal_year, currency, stage,
        coalesce(sum(amount_loan), 0) as amount_loan,
        coalesce(sum(amount_guarantee), 0) as amount_guarantee
    from funding.applications
    semi join (from funding.organisations where kind <> 'legal') using (organisation_id)
    where is_counted and is_award and coalesce(amount_loan, amount_guarantee) is not null
    group by all
),
final as (
    select
        mart.* replace (
            mart.amount_loan - coalesce(others.amount_loan, 0) as amount_loan,
            mart.amount_guarantee - coalesce(others.amount_guarantee, 0) as amount_guarantee
        ),
        0::integer as n_withheld
    from funding.funding_by_aid_form_year as mart
    left join others
        on mart.funder_id = others.funder_id and mart.aid_form = others.aid_form and mart.fiscal_year = others.fiscal_year
        and mart.stage = others.stage and mart.currency is not distinct from others.currency
    where mart.n_awards > 0
)
select * from final order by funder_id, aid_form, fiscal_year, currency, stage;
