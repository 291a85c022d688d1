-- Lignes attribuées à des personnes morales : les seules publiées nominativement.
-- view: yes

with source as (
    select
        lines.line_id, lines.application_id, lines.funder_id, lines.funder_siret, lines.service_key, lines.scheme, lines.call_id, lines.organisation_id,
        organisations.name as organisation_name, lines.applicant_siren, lines.applicant_siret, lines.applicant_rna,
        lines.seat_region_code, lines.seat_departement_code, lines.seat_epci_code, lines.seat_commune_name, lines.title, lines.theme, lines.purpose, lines.aid_form,
        lines.fiscal_year, lines.amount_headline, lines.stage, lines.currency, lines.decided_date, lines.agreement_id,
        lines.agreement_start_year, lines.agreement_end_year,
        lines.signed_date, lines.decision_reference, lines.payment_conditions, lines.payment_start_date, lines.payment_end_date,
        lines.rae_id, lines.eu_notification, lines.source_name, lines.source_url, lines.source_updated_at,
        lines.licence, lines.is_only_line
    from funding.applications as lines
    join funding.organisations as organisations using (organisation_id)
    where lines.is_counted and lines.is_award and lines.is_grant and organisations.kind = 'legal'
)
select * from source;
