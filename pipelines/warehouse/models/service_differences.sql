-- Là où l'annuaire et les données se contredisent, service par service. Seules les attributions comptent ; un financeur sans annuaire n'a pas de différence.

with entries as (
    select
        service_key, min(funder_id) as funder_id, min(valid_from) as valid_from,
        if(count(*) = count(valid_to), max(valid_to), null) as valid_to,
        bool_or(is_national) as is_national, bool_or(is_claimed_twice) as is_claimed_twice
    from service_entries
    group by service_key
),
covered_funders as (select distinct funder_id from entries),
awards as (
    select
        service_key, min(funder_id) as funder_id, n_applications(application_id, is_only_line, true) as n_awards,
        min(fiscal_year) as first_year, max(fiscal_year) as last_year
    from applications
    where is_counted and is_award and is_grant
    group by service_key
),
services_apart as (
    select
        awards.funder_id, awards.service_key, 'service_not_declared' as difference, null::text as subject,
        awards.n_awards, awards.first_year, awards.last_year
    from awards
    semi join covered_funders using (funder_id)
    anti join entries using (service_key)
    where awards.service_key not like '%/-'
    union all
    select
        entries.funder_id, entries.service_key, 'service_not_observed' as difference, null::text as subject, 0 as n_awards,
        null::integer as first_year, null::integer as last_year
    from entries
    semi join (select distinct funder_id from awards) as with_awards using (funder_id)
    anti join awards using (service_key)
),
with_schemes as (
    select service_key from service_schemes where is_declared group by service_key
),
schemes_apart as (
    select
        schemes.funder_id, schemes.service_key,
        if(schemes.is_declared, 'scheme_not_observed', 'scheme_not_declared') as difference,
        schemes.scheme as subject, schemes.n_awards, schemes.first_year, schemes.last_year
    from service_schemes as schemes
    semi join with_schemes using (service_key)
    semi join awards using (service_key)
    where schemes.is_declared <> schemes.is_observed and schemes.scheme <> '—'
),
with_pays as (  -- a scheme of which the directory says what it pays
    select service_key, scheme_slug from service_offers where pays is not null and scheme is not null group by all
),
pays_apart as (
    select
        funder_id, service_key, 'pays_not_declared' as difference, scheme || ' · ' || pays as subject,
        sum(n_awards)::integer as n_awards, min(first_year) as first_year, max(last_year) as last_year
    from who_does_what
    semi join with_pays on who_does_what.service_key = with_pays.service_key and slug(who_does_what.scheme) = with_pays.scheme_slug
    where is_observed and pays <> 'unknown'
        and not exists (
            from service_offers as offers
            where offers.service_key = who_does_what.service_key and offers.scheme_slug = slug(who_does_what.scheme)
                and list_contains(string_split(offers.pays, ';'), who_does_what.pays)
        )
    group by all
),
with_area as (
    select service_key from service_offers group by service_key having count(*) = count(departement_codes) and not bool_or(coalesce(is_national, false))
),
places_apart as (
    select
        places.funder_id, places.service_key, 'outside_area' as difference, places.departement_code as subject,
        places.n_awards, places.first_year, places.last_year
    from service_departements as places
    semi join with_area using (service_key)
    where not places.is_declared
),
years_apart as (
    select
        awards.funder_id, awards.service_key, 'outside_validity' as difference,
        concat_ws(' → ', coalesce(strftime(entries.valid_from, '%d/%m/%Y'), '…'), coalesce(strftime(entries.valid_to, '%d/%m/%Y'), '…')) as subject,
        awards.n_awards, awards.first_year, awards.last_year
    from awards
    join entries using (service_key)
    where awards.first_year < year(entries.valid_from) or awards.last_year > year(entries.valid_to)
),
final as (
    select * from services_apart union all select * from schemes_apart union all select * from pays_apart
    union all select * from places_apart union all select * from years_apart
)
select * from final order by funder_id, service_key, difference, subject;
