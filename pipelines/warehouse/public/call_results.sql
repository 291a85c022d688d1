-- Ce qu'a donné la dernière édition d'un appel à projets. Les accords sont publics ; les refus ne sont repris que s'ils sont ceux de tout un dispositif et d'un exercice, déjà publiés comme tels. amount_awarded : personnes morales seulement.

with others as (
    select funder_id, fiscal_year, scheme, sum(amount_awarded) as amount from other_decisions group by all
),
other_years as (
    select funder_id, fiscal_year from others group by all
),
source as (  -- what persons received is taken out of a whole scheme; elsewhere it is not known which call they answered
    select
        results.call_key, results.funder_id, results.basis, results.edition, results.scheme, results.fiscal_year,
        results.n_awarded, results.currency, results.is_whole_scheme,
        case
            when other_years.funder_id is null then results.amount_awarded
            when results.is_whole_scheme then results.amount_awarded - coalesce(others.amount, 0)
        end as amount_awarded
    from funding.call_results as results
    left join others using (funder_id, fiscal_year, scheme)
    left join other_years on results.funder_id = other_years.funder_id and results.fiscal_year = other_years.fiscal_year
    where results.n_awarded > 0
),
final as (
    select
        source.call_key,
        source.funder_id,
        source.basis,
        source.edition,
        source.scheme,
        source.fiscal_year,
        source.n_awarded,
        source.amount_awarded,
        source.currency,
        case
            when rates.status is null then 'not_published'
            when rates.status = 'not_published' or source.is_whole_scheme then rates.status
            else 'suppressed'
        end as status,
        if(source.is_whole_scheme, rates.n_total, null) as n_total,
        if(source.is_whole_scheme, rates.n_refused, null) as n_refused,
        if(source.is_whole_scheme, rates.n_inadmissible, null) as n_inadmissible,
        if(source.is_whole_scheme, rates.n_pending, null) as n_pending,
        if(source.is_whole_scheme, rates.refusal_rate, null) as refusal_rate
    from source
    left join refusal_rates_by_scheme_year as rates using (funder_id, scheme, fiscal_year)
    semi join calls using (call_key)
)
select * from final order by call_key;
