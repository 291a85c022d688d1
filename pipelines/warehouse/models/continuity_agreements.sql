-- Conventions pluriannuelles : leurs années, leur montant, et si elles finissent l'année suivant la date de référence.
-- Des subventions annuelles répétées ne sont pas une convention.

with source as (
    select
        coalesce(agreement_id, application_id) as agreement_id, funder_id, organisation_id, agreement_start_year, agreement_end_year,
        amount_headline, currency, stage
    from applications
    where is_counted and is_award and is_grant and is_multi_year and agreement_end_year > agreement_start_year
),
final as (
    select
        agreement_id,
        funder_id,
        organisation_id,
        min(agreement_start_year) as start_year,
        max(agreement_end_year) as end_year,
        sum(amount_headline) as amount,
        currency,
        stage,
        max(agreement_end_year) = year(getvariable('as_of')) + 1 as ends_next_year
    from source
    group by agreement_id, funder_id, organisation_id, currency, stage
)
select * from final order by funder_id, agreement_id, organisation_id, currency, stage;
