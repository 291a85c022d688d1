-- Dispositifs de chaque service : ceux que l'annuaire déclare, et ceux sur lesquels les données montrent une attribution.

with declared as (
    select
        service_key, coalesce(scheme_slug, '—') as scheme_slug, min(scheme) as scheme, min(funder_id) as funder_id
    from service_offers
    where scheme is not null
    group by all
),
scheme_slugs as (  -- each scheme is folded once
    select scheme, coalesce(slug(scheme), '—') as scheme_slug from (select distinct scheme from applications)
),
observed as (
    select
        service_key,
        scheme_slug,
        min(applications.scheme) as scheme,
        min(funder_id) as funder_id,
        n_applications(application_id, is_only_line, true) as n_awards,
        min(fiscal_year) as first_year,
        max(fiscal_year) as last_year
    from applications
    join scheme_slugs on applications.scheme is not distinct from scheme_slugs.scheme
    where is_counted and is_award and is_grant
    group by all
),
final as (
    select
        coalesce(declared.service_key, observed.service_key) as service_key,
        coalesce(declared.funder_id, observed.funder_id) as funder_id,
        coalesce(declared.scheme, observed.scheme, '—') as scheme,
        declared.service_key is not null as is_declared,
        observed.service_key is not null as is_observed,
        coalesce(observed.n_awards, 0)::integer as n_awards,
        observed.first_year,
        observed.last_year
    from declared
    full join observed
        on declared.service_key = observed.service_key and declared.scheme_slug = observed.scheme_slug
)
select * from final order by service_key, scheme;
