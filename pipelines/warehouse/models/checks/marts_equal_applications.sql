-- Le total de chaque table de montants est celui des lignes comptées : lignes, montants, prêts exclus.
-- blocking: yes

with marts as (
    select 'funding_by_funder_year' as mart, currency, stage, n_lines, amount, n_without_amount, n_loans_excluded from funding_by_funder_year
    union all
    select 'funding_by_service_year' as mart, currency, stage, n_lines, amount, n_without_amount, n_loans_excluded from funding_by_service_year
    union all
    select 'funding_by_scheme_year' as mart, currency, stage, n_lines, amount, n_without_amount, n_loans_excluded from funding_by_scheme_year
    union all
    select 'funding_by_theme_year' as mart, currency, stage, n_lines, amount, n_without_amount, n_loans_excluded from funding_by_theme_year
    union all
    select 'funding_by_funder_theme_year' as mart, currency, stage, n_lines, amount, n_without_amount, n_loans_excluded from funding_by_funder_theme_year
    union all
    select 'funding_by_funder_theme_territory_year' as mart, currency, stage, n_lines, amount, n_without_amount, n_loans_excluded from funding_by_funder_theme_territory_year
    union all
    select 'funding_by_purpose_year' as mart, currency, stage, n_lines, amount, n_without_amount, n_loans_excluded from funding_by_purpose_year
    union all
    select 'funding_by_territory_year' as mart, currency, stage, n_lines, amount, n_without_amount, n_loans_excluded from funding_by_territory_year
    union all
    select 'funding_by_region_year' as mart, currency, stage, n_lines, amount, n_without_amount, n_loans_excluded from funding_by_region_year
    union all
    select 'funding_by_epci_year' as mart, currency, stage, n_lines, amount, n_without_amount, n_loans_excluded from funding_by_epci_year
    union all
    select 'funding_by_level_year' as mart, currency, stage, n_lines, amount, n_without_amount, n_loans_excluded from funding_by_level_year
    union all
    select 'funding_by_beneficiary_year' as mart, currency, stage, n_lines, amount, n_without_amount, n_loans_excluded from funding_by_beneficiary_year
),
mart_totals as (
    select
        mart, currency, stage, sum(n_lines) as n_lines, coalesce(sum(amount), 0) as amount,
        sum(n_without_amount) as n_without_amount, sum(n_loans_excluded) as n_loans_excluded
    from marts
    group by all
),
line_totals as (
    select
        currency, stage,
        count(*) filter (is_grant) as n_lines,
        coalesce(sum(amount_headline) filter (is_grant), 0) as amount,
        count(*) filter (is_grant and amount_headline is null) as n_without_amount,
        count(*) filter (not is_grant) as n_loans_excluded
    from applications
    where is_counted and is_award
    group by all
),
names as (
    select distinct mart from marts
)
select coalesce(mart_totals.mart, names.mart) as mart, currency, stage, line_totals.n_lines, mart_totals.n_lines as n_lines_mart
from (line_totals cross join names)
full join mart_totals using (mart, currency, stage)
where mart_totals.n_lines is distinct from line_totals.n_lines
    or mart_totals.amount is distinct from line_totals.amount
    or mart_totals.n_without_amount is distinct from line_totals.n_without_amount
    or mart_totals.n_loans_excluded is distinct from line_totals.n_loans_excluded;
