-- Subventions accordées à des personnes morales, une par ligne. Les demandes qui n'ont pas été accordées n'y sont jamais.

with source as not materialized (  -- read for each: held whole, five million lines would fill the memory
    select * from nominative_awards
),
amounts as (
    select application_id, organisation_id, currency, stage, sum(amount_headline) as amount, min(line_id) as line_id
    from source
    where not is_only_line
    group by all
),
awarded as (
    select source.*, amounts.amount
    from source
    join amounts using (line_id, application_id, organisation_id, currency, stage)
    union all
    select *, amount_headline as amount from source where is_only_line
),
titles as (  -- only digits and at signs may tell a person: each title that has some is searched once
    select title, masked(title) as masked_title from (select distinct title from source where regexp_matches(title, '[0-9@]'))
),
final as (
    select
        application_id,
        funder_id,
        funders.name as funder_name,
        source.funder_siret,
        service_key,
        services.name as service_name,
        source.scheme,
        source.call_id,
        organisation_id,
        source.organisation_name as beneficiary_name,
        coalesce(source.applicant_siren, left(source.applicant_siret, 9)) as beneficiary_siren,
        source.applicant_siret as beneficiary_siret,
        source.applicant_rna as beneficiary_rna,
        source.seat_region_code as region_code,
        source.seat_departement_code as departement_code,
        source.seat_epci_code as epci_code,
        source.seat_commune_name as commune_name,
        if(titles.title is null, source.title, titles.masked_title) as title,
        source.theme,
        source.purpose,
        source.aid_form,
        source.fiscal_year,
        source.amount,
        source.stage,
        source.currency,
        source.decided_date,
        source.agreement_id,
        source.agreement_start_year,
        source.agreement_end_year,
        source.signed_date,
        masked(source.decision_reference) as decision_reference,
        masked(source.payment_conditions) as payment_conditions,
        source.payment_start_date,
        source.payment_end_date,
        source.rae_id,
        source.eu_notification,
        source.source_name,
        source.source_url,
        source.source_updated_at,
        source.licence
    from awarded as source
    left join titles on if(regexp_matches(source.title, '[0-9@]'), source.title, null) = titles.title
    join funding.funders as funders using (funder_id)
    join funding.services as services using (service_key, funder_id)
)
-- in no order: to sort a country's awards would take half of all this, and whoever reads them sorts what is read
select * from final;
