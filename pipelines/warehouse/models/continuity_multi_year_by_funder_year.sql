-- Part du pluriannuel dans les subventions décidées chaque année, en nombre et en montant ; ferme ou prévisionnel seulement quand le fichier le dit.

with source as (
    select * from applications where is_counted and is_award and is_grant
),
counted as (
    select
        funder_id, fiscal_year,
        n_applications(application_id, is_only_line, true) as n_awards,
        n_applications(application_id, is_only_line, is_multi_year) as n_multi_year,
        n_applications(application_id, is_only_line, is_multi_year is null) as n_not_stated,
        n_applications(application_id, is_only_line, is_multi_year and year_certainty = 'firm') as n_multi_year_firm,
        n_applications(application_id, is_only_line, is_multi_year and year_certainty = 'forecast') as n_multi_year_forecast
    from source
    group by all
),
amounts as (
    select
        funder_id, fiscal_year, currency, stage,
        sum(amount_headline) as amount,
        coalesce(sum(amount_headline) filter (is_multi_year), 0) as amount_multi_year,
        coalesce(sum(amount_headline) filter (is_multi_year and year_certainty = 'firm'), 0) as amount_multi_year_firm,
        n_applications(application_id, is_only_line, true) as n
    from source
    group by all
),
main_amounts as (
    select
        funder_id, fiscal_year,
        arg_min(struct_pack(amount, amount_multi_year, amount_multi_year_firm, currency, stage), row(-n, currency, stage)) as main,
        count(*) > 1 as has_other_amounts
    from amounts
    group by all
),
final as (
    select
        funder_id,
        fiscal_year,
        n_awards::integer as n_awards,
        n_multi_year::integer as n_multi_year,
        main.amount as amount,
        main.amount_multi_year as amount_multi_year,
        n_not_stated::integer as n_not_stated,
        n_multi_year_firm::integer as n_multi_year_firm,
        n_multi_year_forecast::integer as n_multi_year_forecast,
        main.amount_multi_year_firm as amount_multi_year_firm,
        main.currency as currency,
        main.stage as stage,
        has_other_amounts
    from counted
    join main_amounts using (funder_id, fiscal_year)
)
select * from final order by funder_id, fiscal_year;
