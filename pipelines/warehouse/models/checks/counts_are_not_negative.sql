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
select 'data_quality_by_field' as model, count(*) as n from data_quality_by_field where least(*columns('^n_')) < 0 having count(*) > 0;
