-- Subventions à des personnes physiques ou de nature inconnue : seulement leur nombre, et leur total quand aucune n'y est reconnaissable.

with source as (
    select lines.*, organisations.kind
    from funding.applications as lines
    join funding.organisations as organisations using (organisation_id)
    where lines.is_counted and lines.is_award and lines.is_grant and organisations.kind <> 'legal'
),
final as (
    select
        funder_id,
        fiscal_year,
        kind as applicant_kind,
        count(distinct application_id)::integer as n_awards,
        sum(amount_headline) as amount,
        currency,
        stage,
        0::integer as n_withheld
    from source
    group by all
)
select * from final order by funder_id, fiscal_year, applicant_kind, currency, stage;
