-- Ce qu'a donné la dernière édition d'un appel à projets. Les accords sont publics ; les refus ne sont repris que s'ils sont ceux de tout un dispositif et d'un exercice, déjà publiés comme tels.

with source as (
    select call_key, funder_id, basis, edition, scheme, fiscal_year, n_awarded, amount_awarded, currency, is_whole_scheme
    from funding.call_results
    where n_awarded > 0
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
