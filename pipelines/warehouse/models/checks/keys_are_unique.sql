-- La clé de chaque table ne se répète pas (celle de decisions : voir decisions_are_counted_once).
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
select 'territories' as model, territory_id as key, count(*) as n from territories group by territory_id having count(*) > 1
union all
select 'territory_reference' as model, territory_id as key, count(*) as n from territory_reference group by territory_id having count(*) > 1
union all
select 'territory_places' as model, concat_ws(' · ', role, stated_level, stated_code, stated_postcode, stated_name, authority_siren) as key, count(*) as n from territory_places group by role, stated_level, stated_code, stated_postcode, stated_name, authority_siren having count(*) > 1
union all
select 'calls' as model, call_key as key, count(*) as n from calls group by call_key having count(*) > 1
union all
select 'call_results' as model, call_key as key, count(*) as n from call_results group by call_key having count(*) > 1
union all
select 'service_names' as model, funder_id || ' · ' || name_slug as key, count(*) as n from service_names group by funder_id, name_slug having count(*) > 1
union all
select 'service_entries' as model, funder_id || ' · ' || service_ref as key, count(*) as n from service_entries group by funder_id, service_ref having count(*) > 1
union all
select 'service_schemes' as model, service_key || ' · ' || scheme as key, count(*) as n from service_schemes group by service_key, scheme having count(*) > 1
union all
select 'service_departements' as model, service_key || ' · ' || departement_code as key, count(*) as n from service_departements group by service_key, departement_code having count(*) > 1
union all
select 'funder_identities' as model, concat_ws(' · ', depositor, funder_name, funder_siren) as key, count(*) as n from funder_identities group by depositor, funder_name, funder_siren having count(*) > 1
union all
select 'funder_budgets' as model, concat_ws(' · ', funder_id, fiscal_year, service_name, scheme) as key, count(*) as n from funder_budgets group by all having count(*) > 1
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
select 'cofunded_lines' as model, line_id as key, count(*) as n from cofunded_lines group by line_id having count(*) > 1
union all
select 'cofunded_projects' as model, project_id as key, count(*) as n from cofunded_projects group by project_id having count(*) > 1
union all
select 'cofunding_links' as model, concat_ws(' · ', node_id, other_node_id) as key, count(*) as n from cofunding_links group by node_id, other_node_id having count(*) > 1
union all
select 'cofunding_mentions' as model, concat_ws(' · ', line_id, cofunder_name) as key, count(*) as n from cofunding_mentions group by line_id, cofunder_name having count(*) > 1
union all
select 'cofunding_by_funder_year' as model, concat_ws(' · ', funder_id, fiscal_year, kind) as key, count(*) as n from cofunding_by_funder_year group by funder_id, fiscal_year, kind having count(*) > 1
union all
select 'cofunding_by_funder_pair_year' as model, concat_ws(' · ', funder_id, other_funder_id, fiscal_year, evidence, currency, stage) as key, count(*) as n from cofunding_by_funder_pair_year group by funder_id, other_funder_id, fiscal_year, evidence, currency, stage having count(*) > 1
union all
select 'cofunding_by_level_pair_year' as model, concat_ws(' · ', funder_level, other_level, fiscal_year, evidence, currency, stage) as key, count(*) as n from cofunding_by_level_pair_year group by funder_level, other_level, fiscal_year, evidence, currency, stage having count(*) > 1
union all
select 'data_quality_by_deposit' as model, deposit_id as key, count(*) as n from data_quality_by_deposit group by deposit_id having count(*) > 1
union all
select 'data_quality_by_field' as model, deposit_id || ' · ' || field as key, count(*) as n from data_quality_by_field group by deposit_id, field having count(*) > 1
union all
select 'refusal_rates' as model, concat_ws(' · ', level, funder_id, service_key, departement_code, scheme, call_id, fiscal_year) as key, count(*) as n from refusal_rates group by level, funder_id, service_key, departement_code, scheme, call_id, fiscal_year having count(*) > 1
union all
select 'refusal_rates_by_deposit_year' as model, concat_ws(' · ', service_key, deposit_year) as key, count(*) as n from refusal_rates_by_deposit_year group by service_key, deposit_year having count(*) > 1
union all
select 'refusal_reasons_by_service_year' as model, concat_ws(' · ', service_key, scheme, fiscal_year, stage, refusal_reason) as key, count(*) as n from refusal_reasons_by_service_year group by service_key, scheme, fiscal_year, stage, refusal_reason having count(*) > 1
union all
select 'decision_delays' as model, concat_ws(' · ', level, funder_id, service_key, scheme, fiscal_year, step) as key, count(*) as n from decision_delays group by level, funder_id, service_key, scheme, fiscal_year, step having count(*) > 1
union all
select 'resubmissions_by_service_year' as model, concat_ws(' · ', service_key, fiscal_year) as key, count(*) as n from resubmissions_by_service_year group by service_key, fiscal_year having count(*) > 1
union all
select 'call_demand' as model, concat_ws(' · ', call_key, fiscal_year) as key, count(*) as n from call_demand group by call_key, fiscal_year having count(*) > 1
union all
select 'effort_without_return' as model, concat_ws(' · ', service_key, scheme, request_band, request_kind, fiscal_year) as key, count(*) as n from effort_without_return group by service_key, scheme, request_band, request_kind, fiscal_year having count(*) > 1
union all
select 'refusal_funnel' as model, concat_ws(' · ', comparison, comparison_group, fiscal_year, has_inadmissible, service_key, scheme) as key, count(*) as n from refusal_funnel group by comparison, comparison_group, fiscal_year, has_inadmissible, service_key, scheme having count(*) > 1
union all
select 'service_lineage' as model, concat_ws(' · ', service_key) as key, count(*) as n from service_lineage group by service_key having count(*) > 1
union all
select 'relation_masks' as model, concat_ws(' · ', level, relation_key, fiscal_year) as key, count(*) as n from relation_masks group by level, relation_key, fiscal_year having count(*) > 1
union all
select 'relation_years' as model, concat_ws(' · ', level, relation_key, organisation_id, fiscal_year) as key, count(*) as n from relation_years group by level, relation_key, organisation_id, fiscal_year having count(*) > 1
union all
select 'relation_amounts' as model, concat_ws(' · ', level, relation_key, organisation_id, fiscal_year, currency, stage) as key, count(*) as n from relation_amounts group by level, relation_key, organisation_id, fiscal_year, currency, stage having count(*) > 1
union all
select 'continuity_relations' as model, concat_ws(' · ', level, relation_key, organisation_id) as key, count(*) as n from continuity_relations group by level, relation_key, organisation_id having count(*) > 1
union all
select 'continuity_cohorts' as model, concat_ws(' · ', level, relation_key, cohort_year, fiscal_year) as key, count(*) as n from continuity_cohorts group by level, relation_key, cohort_year, fiscal_year having count(*) > 1
union all
select 'continuity_survival' as model, concat_ws(' · ', level, relation_key, age) as key, count(*) as n from continuity_survival group by level, relation_key, age having count(*) > 1
union all
select 'continuity_by_service_year' as model, concat_ws(' · ', relation_key, fiscal_year) as key, count(*) as n from continuity_by_service_year group by relation_key, fiscal_year having count(*) > 1
union all
select 'continuity_renewal_amounts' as model, concat_ws(' · ', level, relation_key, fiscal_year, currency, stage) as key, count(*) as n from continuity_renewal_amounts group by level, relation_key, fiscal_year, currency, stage having count(*) > 1
union all
select 'continuity_volatility' as model, concat_ws(' · ', level, relation_key, currency, stage) as key, count(*) as n from continuity_volatility group by level, relation_key, currency, stage having count(*) > 1
union all
select 'continuity_secured_by_funder_year' as model, concat_ws(' · ', funder_id, fiscal_year, currency, stage) as key, count(*) as n from continuity_secured_by_funder_year group by funder_id, fiscal_year, currency, stage having count(*) > 1
union all
select 'continuity_terms_by_funder_year' as model, concat_ws(' · ', funder_id, start_year, currency, stage) as key, count(*) as n from continuity_terms_by_funder_year group by funder_id, start_year, currency, stage having count(*) > 1
union all
select 'publication_thresholds' as model, concat_ws(' · ', funder_id, fiscal_year) as key, count(*) as n from publication_thresholds group by funder_id, fiscal_year having count(*) > 1
union all
select 'funding_distribution' as model, concat_ws(' · ', scope, level, funder_id, breakdown_key, fiscal_year, currency, stage) as key, count(*) as n from funding_distribution group by scope, level, funder_id, breakdown_key, fiscal_year, currency, stage having count(*) > 1
union all
select 'funding_concentration_by_funder_year' as model, concat_ws(' · ', scope, funder_id, fiscal_year, currency, stage) as key, count(*) as n from funding_concentration_by_funder_year group by scope, funder_id, fiscal_year, currency, stage having count(*) > 1
union all
select 'funding_concentration_by_beneficiary_year' as model, concat_ws(' · ', organisation_id, fiscal_year, currency, stage) as key, count(*) as n from funding_concentration_by_beneficiary_year group by organisation_id, fiscal_year, currency, stage having count(*) > 1
union all
select 'funding_flows_by_funder_year' as model, concat_ws(' · ', funder_id, fiscal_year, flow, currency, stage) as key, count(*) as n from funding_flows_by_funder_year group by funder_id, fiscal_year, flow, currency, stage having count(*) > 1
union all
select 'purpose_mix_by_funder_year' as model, concat_ws(' · ', funder_id, fiscal_year, currency, purpose) as key, count(*) as n from purpose_mix_by_funder_year group by funder_id, fiscal_year, currency, purpose having count(*) > 1
union all
select 'funding_by_aid_form_year' as model, concat_ws(' · ', funder_id, aid_form, fiscal_year, currency, stage) as key, count(*) as n from funding_by_aid_form_year group by funder_id, aid_form, fiscal_year, currency, stage having count(*) > 1
union all
select 'funding_by_level_territory_year' as model, concat_ws(' · ', departement_code, level_group, fiscal_year, currency, stage) as key, count(*) as n from funding_by_level_territory_year group by departement_code, level_group, fiscal_year, currency, stage having count(*) > 1
union all
select 'funding_coverage_by_funder_year' as model, concat_ws(' · ', funder_id, fiscal_year, currency, stage, information) as key, count(*) as n from funding_coverage_by_funder_year group by funder_id, fiscal_year, currency, stage, information having count(*) > 1;
