-- Effort sans retour : demandes et demandeurs sans aucune attribution, et médiane accordée par demande, par service et exercice, puis par dispositif, par tranche de montant demandé, et par première demande ou renouvellement. Réservé aux analystes.
-- Demandes accordées, refusées ou irrecevables des services qui publient leurs refus : une demande refusée obtient zéro, un montant accordé inconnu n'est pas compté.

with source as (
    select
        decisions.*,
        case
            when amount_requested < 1000 then 'under_1000'
            when amount_requested < 5000 then 'under_5000'
            when amount_requested < 23000 then 'under_23000'
            when amount_requested < 100000 then 'under_100000'
            when amount_requested >= 100000 then 'from_100000'
            else 'unknown'
        end as request_band,
        case when is_renewal then 'renewal' when is_first_request then 'first' else 'unknown' end as request_kind,
        decision_status = 'awarded' as is_awarded,
        if(decision_status = 'awarded', amount_awarded, 0) as amount_obtained
    from decisions
    semi join (from refusal_publication where published) using (funder_id, service_key, fiscal_year)
    where decision_status in ('awarded', 'refused', 'inadmissible')
),
counted as (
    select
        case grouping(scheme, request_band, request_kind)
            when 7 then 'service' when 3 then 'scheme' when 5 then 'band' else 'kind'
        end as level,
        funder_id,
        service_key,
        coalesce(scheme, 'all') as scheme,
        coalesce(request_band, 'all') as request_band,
        coalesce(request_kind, 'all') as request_kind,
        fiscal_year,
        count(*) as n_decided,
        count(*) filter (not is_awarded) as n_without_award,
        count(amount_obtained) as n_obtained_known,
        min(currency) as currency,
        min(currency) = max(currency) as is_one_currency,
        quantile_cont(amount_obtained::double, 0.5) as median_obtained,
        quantile_cont(amount_awarded::double, 0.5) filter (is_awarded) as median_awarded
    from source
    group by grouping sets (
        (funder_id, service_key, fiscal_year),
        (funder_id, service_key, scheme, fiscal_year),
        (funder_id, service_key, request_band, fiscal_year),
        (funder_id, service_key, request_kind, fiscal_year)
    )
),
by_applicant as (  -- each applicant once, then counted: far cheaper than to count distinct ones
    select
        case grouping(scheme, request_band, request_kind)
            when 7 then 'service' when 3 then 'scheme' when 5 then 'band' else 'kind'
        end as level,
        funder_id,
        service_key,
        coalesce(scheme, 'all') as scheme,
        coalesce(request_band, 'all') as request_band,
        coalesce(request_kind, 'all') as request_kind,
        fiscal_year,
        bool_or(is_awarded) as has_award
    from source
    group by grouping sets (
        (funder_id, service_key, fiscal_year, organisation_id),
        (funder_id, service_key, scheme, fiscal_year, organisation_id),
        (funder_id, service_key, request_band, fiscal_year, organisation_id),
        (funder_id, service_key, request_kind, fiscal_year, organisation_id)
    )
),
applicants as (
    select
        * exclude (has_award),
        count(*) as n_applicants,
        count(*) filter (not has_award) as n_applicants_without_award
    from by_applicant
    group by all
),
final as (
    select
        level, funder_id, service_key, scheme, request_band, request_kind, fiscal_year,
        n_decided::integer as n_decided,
        n_without_award::integer as n_without_award,
        ratio(n_without_award, n_decided) as without_award_share,
        n_applicants::integer as n_applicants,
        n_applicants_without_award::integer as n_applicants_without_award,
        ratio(n_applicants_without_award, n_applicants) as applicants_without_award_share,
        1 - ratio(n_applicants_without_award, n_applicants) as funded_applicant_rate,
        n_obtained_known::integer as n_obtained_known,
        if(is_one_currency, median_obtained, null) as median_obtained,
        if(is_one_currency, median_awarded, null) as median_awarded,
        if(is_one_currency, currency, null) as currency
    from counted
    join applicants using (level, funder_id, service_key, scheme, request_band, request_kind, fiscal_year)
)
select * from final order by level, funder_id, service_key, scheme, request_band, request_kind, fiscal_year;
