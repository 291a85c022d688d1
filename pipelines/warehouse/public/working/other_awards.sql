-- Lignes attribuées à des personnes physiques ou à des organismes de nature inconnue : leurs montants sortent des sommes qui ne les réunissent pas en groupes.

with others as (
    select organisation_id, coalesce(slug(name), '-') as unit from funding.organisations where kind <> 'legal'
),
final as (
    select
        lines.application_id, lines.deposit_id, lines.organisation_id, lines.funder_id, lines.fiscal_year, lines.currency, lines.stage,
        lines.amount_headline, lines.is_multi_year, lines.year_certainty, lines.service_name, lines.scheme, lines.theme, lines.purpose,
        lines.aid_form, lines.seat_departement_code, lines.action_departement_code, lines.applicant_siren, lines.applicant_siret,
        lines.applicant_rna, lines.amount_requested, lines.funder_level, others.unit
    from funding.applications as lines
    join others using (organisation_id)
    where lines.is_counted and lines.is_award and lines.is_grant
)
select * from final;
