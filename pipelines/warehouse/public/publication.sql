-- Publication : date de référence, éditeur, licence et paramètres de confidentialité.

select
    getvariable('as_of')::date as as_of,
    getvariable('publisher_name') as publisher_name,
    getvariable('publisher_site_url') as site_url,
    getvariable('publisher_correction_address') as correction_address,
    getvariable('publisher_licence') as licence,
    coalesce((select bool_and(is_demonstration) from funding.funders), false) as is_demonstration,
    getvariable('min_decisions')::integer as min_decisions,
    getvariable('min_count')::integer as min_count,
    getvariable('min_applicants')::integer as min_applicants,
    getvariable('max_share')::double as max_share,
    getvariable('min_persons')::integer as min_persons,
    getvariable('min_decided_share')::double as min_decided_share,
    getvariable('min_year_share')::double as min_year_share,
    (
        select count(*) from funding.deposits join public_deposits using (deposit_id) where status = 'accepted' and is_current
    )::integer as n_deposits,
    (select coalesce(sum(n_awards), 0) from funding.funding_by_funder_year)::integer as n_awards,
    (select count(*) from funders)::integer as n_funders;
