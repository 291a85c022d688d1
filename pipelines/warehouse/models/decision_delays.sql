-- Délais, en jours : du dépôt à la décision, de la décision au premier versement, et âge des demandes en instruction à la date de référence ; par financeur, service, service et dispositif, et exercice. Réservé aux analystes.
-- Dates contraires à l'ordre comptées à part. n_late : plus de deux mois sans décision (huit pour l'investissement de l'État : CRPA L231-4, décret 2018-514), plus de 60 jours avant versement (loi 2021-875) ; un signal, jamais un refus.

with source as not materialized (
    select
        decisions.*,
        if(funders.level = 'state' and decisions.purpose = 'investment', interval 8 months, interval 2 months) as legal_delay
    from decisions
    left join funders using (funder_id)
),
steps as (
    select
        funder_id, service_key, scheme, fiscal_year, 'deposit_to_decision' as step, deposited_date as from_date,
        decided_date as to_date, deposited_date + legal_delay as limit_date
    from source
    where decision_status in ('awarded', 'refused', 'inadmissible')
    union all
    select
        funder_id, service_key, scheme, fiscal_year, 'decision_to_payment' as step, decided_date as from_date,
        first_paid_date as to_date, decided_date + interval 60 days as limit_date
    from source
    where decision_status = 'awarded'
    union all
    select
        funder_id, service_key, scheme, fiscal_year, 'pending' as step, deposited_date as from_date,
        getvariable('as_of')::date as to_date, deposited_date + legal_delay as limit_date
    from source
    where decision_status = 'pending'
),
measured as (
    select *, date_diff('day', from_date, to_date) as days from steps
),
grouped as (
    select
        case grouping(service_key, scheme) when 3 then 'funder' when 1 then 'service' else 'service_scheme' end as level,
        funder_id,
        service_key,
        scheme,
        fiscal_year,
        step,
        count(*)::integer as n_applications,
        count(*) filter (days >= 0)::integer as n_measured,
        count(*) filter (days < 0)::integer as n_out_of_order,
        quantile_cont(days::double, [0.5, 0.9]) filter (days >= 0) as quantiles,
        count(*) filter (days >= 0 and to_date > limit_date)::integer as n_late
    from measured
    group by grouping sets (
        (funder_id, fiscal_year, step), (funder_id, service_key, fiscal_year, step), (funder_id, service_key, scheme, fiscal_year, step)
    )
),
final as (
    select
        level, funder_id, service_key, scheme, fiscal_year, step, n_applications, n_measured, n_out_of_order,
        quantiles[1] as median_days,
        quantiles[2] as days_90,
        n_late
    from grouped
)
select * from final order by level, funder_id, service_key, scheme, fiscal_year, step;
