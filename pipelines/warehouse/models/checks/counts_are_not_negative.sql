-- Aucun effectif n'est négatif.
-- blocking: yes

select 'funding_by_funder_year' as model, count(*) as n from funding_by_funder_year where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'funding_by_service_year' as model, count(*) as n from funding_by_service_year where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'funding_by_scheme_year' as model, count(*) as n from funding_by_scheme_year where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'funding_by_theme_year' as model, count(*) as n from funding_by_theme_year where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'funding_by_funder_theme_year' as model, count(*) as n from funding_by_funder_theme_year where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'funding_by_funder_theme_territory_year' as model, count(*) as n from funding_by_funder_theme_territory_year where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'funding_by_purpose_year' as model, count(*) as n from funding_by_purpose_year where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'funding_by_territory_year' as model, count(*) as n from funding_by_territory_year where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'funding_by_level_year' as model, count(*) as n from funding_by_level_year where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'funding_by_beneficiary_year' as model, count(*) as n from funding_by_beneficiary_year where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'refusal_rates_by_funder_year' as model, count(*) as n from refusal_rates_by_funder_year where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'refusal_rates_by_service_year' as model, count(*) as n from refusal_rates_by_service_year where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'refusal_rates_by_service_territory_year' as model, count(*) as n from refusal_rates_by_service_territory_year where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'refusal_rates_by_scheme_year' as model, count(*) as n from refusal_rates_by_scheme_year where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'continuity_by_funder_year' as model, count(*) as n from continuity_by_funder_year where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'continuity_multi_year_by_funder_year' as model, count(*) as n from continuity_multi_year_by_funder_year where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'continuity_years_distribution' as model, count(*) as n from continuity_years_distribution where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'refusal_publication' as model, count(*) as n from refusal_publication where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'data_quality_by_field' as model, count(*) as n from data_quality_by_field where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'refusal_rates' as model, count(*) as n from refusal_rates where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'refusal_rates_by_deposit_year' as model, count(*) as n from refusal_rates_by_deposit_year where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'refusal_reasons_by_service_year' as model, count(*) as n from refusal_reasons_by_service_year where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'decision_delays' as model, count(*) as n from decision_delays where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'resubmissions_by_service_year' as model, count(*) as n from resubmissions_by_service_year where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'call_demand' as model, count(*) as n from call_demand where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'effort_without_return' as model, count(*) as n from effort_without_return where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'refusal_funnel' as model, count(*) as n from refusal_funnel where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'continuity_by_service_year' as model, count(*) as n from continuity_by_service_year where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'continuity_cohorts' as model, count(*) as n from continuity_cohorts where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'continuity_survival' as model, count(*) as n from continuity_survival where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'continuity_secured_by_funder_year' as model, count(*) as n from continuity_secured_by_funder_year where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'continuity_terms_by_funder_year' as model, count(*) as n from continuity_terms_by_funder_year where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'continuity_renewal_amounts' as model, count(*) as n from continuity_renewal_amounts where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'continuity_volatility' as model, count(*) as n from continuity_volatility where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'funding_distribution' as model, count(*) as n from funding_distribution where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'funding_concentration_by_funder_year' as model, count(*) as n from funding_concentration_by_funder_year where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'funding_concentration_by_beneficiary_year' as model, count(*) as n from funding_concentration_by_beneficiary_year where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'funding_flows_by_funder_year' as model, count(*) as n from funding_flows_by_funder_year where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'purpose_mix_by_funder_year' as model, count(*) as n from purpose_mix_by_funder_year where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'funding_by_aid_form_year' as model, count(*) as n from funding_by_aid_form_year where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'funding_by_level_territory_year' as model, count(*) as n from funding_by_level_territory_year where least(*columns('^n_')) < 0 having count(*) > 0
union all
select 'funding_coverage_by_funder_year' as model, count(*) as n from funding_coverage_by_funder_year where least(*columns('^n_')) < 0 having count(*) > 0;
