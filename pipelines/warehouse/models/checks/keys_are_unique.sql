-- La clé de chaque table ne se répète pas.
-- blocking: yes

select 'deposits' as model, deposit_id as key, count(*) as n from deposits group by deposit_id having count(*) > 1
union all
select 'versions' as model, deposit_id || ' · ' || fiscal_year::text as key, count(*) as n from versions group by deposit_id, fiscal_year having count(*) > 1
union all
select 'funders' as model, funder_id as key, count(*) as n from funders group by funder_id having count(*) > 1
union all
select 'services' as model, service_key as key, count(*) as n from services group by service_key having count(*) > 1
union all
select 'organisations' as model, organisation_id as key, count(*) as n from organisations group by organisation_id having count(*) > 1
union all
select 'organisation_keys' as model, organisation_key as key, count(*) as n from organisation_keys group by organisation_key having count(*) > 1
union all
select 'organisation_register' as model, organisation_key as key, count(*) as n from organisation_register group by organisation_key having count(*) > 1
union all
select 'funder_names' as model, concat_ws(' · ', depositor, funder_name, funder_siren) as key, count(*) as n from funder_names group by depositor, funder_name, funder_siren having count(*) > 1
union all
select 'territories' as model, territory_id as key, count(*) as n from territories group by territory_id having count(*) > 1
union all
select 'territory_reference' as model, territory_id as key, count(*) as n from territory_reference group by territory_id having count(*) > 1
union all
select 'territory_places' as model, concat_ws(' · ', role, stated_level, stated_code, stated_postcode, stated_name, authority_siren) as key, count(*) as n from territory_places group by role, stated_level, stated_code, stated_postcode, stated_name, authority_siren having count(*) > 1
union all
select 'calls' as model, funder_id || ' · ' || call_id as key, count(*) as n from calls group by funder_id, call_id having count(*) > 1
union all
select 'decisions' as model, application_id as key, count(*) as n from decisions group by application_id having count(*) > 1
union all
select 'observed_years' as model, funder_id || ' · ' || fiscal_year::text as key, count(*) as n from observed_years group by funder_id, fiscal_year having count(*) > 1
union all
select 'funded_years' as model, organisation_id || ' · ' || funder_id || ' · ' || fiscal_year::text as key, count(*) as n from funded_years group by organisation_id, funder_id, fiscal_year having count(*) > 1
union all
select 'refusal_publication' as model, funder_id || ' · ' || service_key || ' · ' || fiscal_year::text as key, count(*) as n from refusal_publication group by funder_id, service_key, fiscal_year having count(*) > 1
union all
select 'continuity_by_beneficiary' as model, organisation_id as key, count(*) as n from continuity_by_beneficiary group by organisation_id having count(*) > 1
union all
select 'continuity_by_beneficiary_funder' as model, organisation_id || ' · ' || funder_id as key, count(*) as n from continuity_by_beneficiary_funder group by organisation_id, funder_id having count(*) > 1
union all
select 'continuity_by_funder_year' as model, funder_id || ' · ' || fiscal_year::text as key, count(*) as n from continuity_by_funder_year group by funder_id, fiscal_year having count(*) > 1
union all
select 'continuity_multi_year_by_funder_year' as model, funder_id || ' · ' || fiscal_year::text as key, count(*) as n from continuity_multi_year_by_funder_year group by funder_id, fiscal_year having count(*) > 1
union all
select 'refusal_rates_by_funder_year' as model, funder_id || ' · ' || fiscal_year::text as key, count(*) as n from refusal_rates_by_funder_year group by funder_id, fiscal_year having count(*) > 1
union all
select 'refusal_rates_by_service_year' as model, service_key || ' · ' || fiscal_year::text as key, count(*) as n from refusal_rates_by_service_year group by service_key, fiscal_year having count(*) > 1
union all
select 'refusal_rates_by_service_territory_year' as model, service_key || ' · ' || departement_code || ' · ' || fiscal_year::text as key, count(*) as n from refusal_rates_by_service_territory_year group by service_key, departement_code, fiscal_year having count(*) > 1
union all
select 'refusal_rates_by_scheme_year' as model, funder_id || ' · ' || scheme || ' · ' || fiscal_year::text as key, count(*) as n from refusal_rates_by_scheme_year group by funder_id, scheme, fiscal_year having count(*) > 1
union all
select 'data_quality_by_deposit' as model, deposit_id as key, count(*) as n from data_quality_by_deposit group by deposit_id having count(*) > 1
union all
select 'data_quality_by_field' as model, deposit_id || ' · ' || field as key, count(*) as n from data_quality_by_field group by deposit_id, field having count(*) > 1;
