-- Subventions par exercice : une convention pluriannuelle est répartie sur ses années.
-- « stated » : le fichier donne une ligne par année ; « estimated » : une seule ligne, parts égales ; « annual » : une subvention d'un seul exercice.

with source as (
    select
        application_id, funder_id, service_key, organisation_id, applicant_siret, fiscal_year, amount_headline as amount, currency, stage,
        purpose, year_certainty, agreement_id, agreement_start_year, agreement_end_year,
        coalesce(is_multi_year, false) and agreement_end_year > agreement_start_year as is_agreement,
        is_only_line
    from applications
    where is_counted and is_award and is_grant
),
agreements as (
    select funder_id, organisation_id, agreement_id, count(distinct fiscal_year) > 1 as has_line_per_year
    from source
    where is_agreement and agreement_id is not null
    group by all
),
renamed as (  -- what is to be spread or added up: the other lines are as they are
    select
        source.*,
        case
            when not source.is_agreement then 'annual'
            when coalesce(agreements.has_line_per_year, false) then 'stated'
            else 'estimated'
        end as spread
    from source
    left join agreements
        on source.is_agreement
        and source.funder_id = agreements.funder_id
        and source.organisation_id = agreements.organisation_id
        and source.agreement_id = agreements.agreement_id
    where source.is_agreement or not source.is_only_line
),
equal_parts as (  -- whole cents; the last year takes what is left, so that the parts add up
    select
        * exclude (fiscal_year, amount),
        unnest(range(agreement_start_year, agreement_end_year + 1)) as fiscal_year,
        agreement_end_year - agreement_start_year + 1 as n_years,
        amount
    from renamed
    where spread = 'estimated'
),
one_per_year as (
    select application_id, funder_id, service_key, organisation_id, applicant_siret, fiscal_year, amount, currency, stage, spread, agreement_id, purpose, year_certainty
    from renamed
    where spread <> 'estimated'
    union all
    select
        application_id, funder_id, service_key, organisation_id, applicant_siret, fiscal_year::integer as fiscal_year,
        (if(
            fiscal_year = agreement_end_year,
            (amount * 100)::bigint - (n_years - 1) * ((amount * 100)::bigint // n_years),
            (amount * 100)::bigint // n_years
        )::decimal(20, 0) * 0.01)::decimal(18, 2) as amount,
        currency, stage, spread, agreement_id, purpose, year_certainty
    from equal_parts
),
final as (
    select
        application_id, funder_id, service_key, organisation_id, applicant_siret, fiscal_year, sum(amount) as amount, currency, stage, spread,
        agreement_id, purpose, year_certainty
    from one_per_year
    group by all
    union all
    select
        application_id, funder_id, service_key, organisation_id, applicant_siret, fiscal_year, amount, currency, stage, 'annual' as spread,
        agreement_id, purpose, year_certainty
    from source
    where is_only_line and not is_agreement
)
-- in no order, as applications: to sort by a number without meaning would cost as much as all the rest
select * from final;
