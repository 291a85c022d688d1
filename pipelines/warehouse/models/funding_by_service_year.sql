-- Subventions par service instructeur et exercice.

with source as (
    select * from applications where is_counted and is_award
),
renamed as (
    select
        funder_id,
        service_key,
        fiscal_year,
        currency,
        stage,
        application_id,
        is_only_line,
        organisation_id,
        amount_headline as amount,
        is_grant
    from source
),
final as (
    select
        funder_id,
        service_key,
        fiscal_year,
        currency,
        stage,
        n_applications(application_id, is_only_line, is_grant) as n_awards,
        count(*) filter (is_grant)::integer as n_lines,
        sum(amount) filter (is_grant) as amount,
        count(*) filter (is_grant and amount is null)::integer as n_without_amount,
        count(distinct organisation_id) filter (is_grant)::integer as n_beneficiaries,
        count(*) filter (not is_grant)::integer as n_loans_excluded
    from renamed
    group by funder_id, service_key, fiscal_year, currency, stage
)
select * from final order by funder_id, service_key, fiscal_year, currency, stage;
