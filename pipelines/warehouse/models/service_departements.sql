-- Départements de chaque service : ceux de sa compétence déclarée, et ceux où siègent les bénéficiaires de ses attributions.

with declared as (
    select distinct service_key, funder_id, unnest(string_split(departement_codes, ' ')) as departement_code
    from service_offers
    where departement_codes is not null
),
observed as (
    select
        service_key,
        funder_id,
        seat_departement_code as departement_code,
        n_applications(application_id, is_only_line, true) as n_awards,
        min(fiscal_year) as first_year,
        max(fiscal_year) as last_year
    from applications
    where is_counted and is_award and is_grant and seat_departement_code is not null
    group by all
),
final as (
    select
        coalesce(declared.service_key, observed.service_key) as service_key,
        coalesce(declared.funder_id, observed.funder_id) as funder_id,
        coalesce(declared.departement_code, observed.departement_code) as departement_code,
        declared.service_key is not null as is_declared,
        observed.service_key is not null as is_observed,
        coalesce(observed.n_awards, 0)::integer as n_awards,
        observed.first_year,
        observed.last_year
    from declared
    full join observed
        on declared.service_key = observed.service_key and declared.departement_code = observed.departement_code
)
select * from final order by service_key, departement_code;
