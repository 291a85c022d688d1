-- Qui fait quoi : pour chaque service, dispositif, thème et chose payée, ce que l'annuaire déclare (territoire, calendrier, contact) et ce que les données montrent.
-- « — » : l'annuaire ne le dit pas ; unknown : les fichiers ne le disent pas.

with declared as (
    select
        offers.* exclude (themes, pays),
        unnest(coalesce(string_split(themes, ';'), ['—'])) as theme,
        pays
    from service_offers as offers
),
declared_each as (
    select * exclude (pays), unnest(coalesce(string_split(pays, ';'), ['—'])) as pays from declared
),
scheme_slugs as (  -- each scheme is folded once
    select scheme, slug(scheme) as scheme_slug from (select distinct scheme from applications)
),
observed as (
    select
        service_key,
        min(funder_id) as funder_id,
        scheme_slug,
        min(applications.scheme) as scheme,
        coalesce(theme, 'unknown') as theme,
        if(aid_form = 'in_kind', 'in_kind', coalesce(purpose, 'unknown')) as pays,
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
        coalesce(declared.funder_id, observed.funder_id) as funder_id,
        coalesce(declared.service_key, observed.service_key) as service_key,
        declared.service_ref,
        coalesce(declared.scheme, observed.scheme) as scheme,
        coalesce(declared.theme, observed.theme) as theme,
        coalesce(declared.pays, observed.pays) as pays,
        declared.pays_not,
        declared.budget_programme,
        declared.area_id,
        declared.area,
        declared.is_national,
        declared.departement_codes,
        declared.calendar,
        declared.contact_function,
        declared.contact_mailbox,
        declared.url,
        declared.reviewed_date,
        declared.valid_from,
        declared.valid_to,
        declared.service_key is not null as is_declared,
        observed.service_key is not null as is_observed,
        coalesce(observed.n_awards, 0)::integer as n_awards,
        observed.first_year,
        observed.last_year
    from declared_each as declared
    full join observed
        on declared.service_key = observed.service_key
        and declared.scheme_slug is not distinct from observed.scheme_slug
        and declared.theme = observed.theme
        and declared.pays = observed.pays
        and not declared.is_claimed_twice
)
select * from final order by funder_id, service_key, service_ref, scheme, theme, pays;
