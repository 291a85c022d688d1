-- Répartition des montants accordés (médiane, déciles) par financeur et exercice, et dans chaque service, thème et département du siège, une attribution comptée une fois.
-- Montants positifs seulement ; les autres sont comptés à côté. Déciles à partir de dix attributions. scope : all, toutes ; legal, personnes morales.

with lines as (
    select
        applications.application_id, applications.funder_id, applications.service_key, applications.theme,
        applications.seat_departement_code, applications.fiscal_year, applications.currency, applications.stage,
        organisations.kind = 'legal' as is_legal,
        applications.amount_headline as amount,
        applications.is_only_line
    from applications
    join organisations using (organisation_id)
    where applications.is_counted and applications.is_award and applications.is_grant
),
source as not materialized (  -- only awards of several lines are added up
    select * exclude (is_only_line) from lines where is_only_line
    union all
    select * exclude (amount, is_only_line), sum(amount) as amount
    from lines
    where not is_only_line
    group by all
),
scoped as (
    select 'all' as scope, * from source
    union all
    select 'legal' as scope, * from source where is_legal
),
grouped as (
    select
        scope,
        case grouping(service_key, theme, seat_departement_code)
            when 7 then 'funder' when 3 then 'service' when 5 then 'theme' else 'territory'
        end as level,
        funder_id,
        case grouping(service_key, theme, seat_departement_code)
            when 7 then funder_id
            when 3 then service_key
            when 5 then coalesce(theme, 'unknown')
            else coalesce(seat_departement_code, '—')
        end as breakdown_key,
        fiscal_year,
        currency,
        stage,
        count(*)::integer as n_awards,
        sum(amount) as amount,
        count(*) filter (amount > 0)::integer as n_positive,
        sum(amount) filter (amount > 0) as amount_positive,
        count(*) filter (amount <= 0)::integer as n_not_positive,
        count(*) filter (amount is null)::integer as n_without_amount,
        quantile_cont(amount::double, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]) filter (amount > 0) as deciles
    from scoped
    group by grouping sets (
        (scope, funder_id, fiscal_year, currency, stage),
        (scope, funder_id, service_key, fiscal_year, currency, stage),
        (scope, funder_id, theme, fiscal_year, currency, stage),
        (scope, funder_id, seat_departement_code, fiscal_year, currency, stage)
    )
),
final as (
    select
        scope,
        level,
        funder_id,
        breakdown_key,
        fiscal_year,
        currency,
        stage,
        n_awards,
        amount,
        n_positive,
        n_not_positive,
        n_without_amount,
        if(n_positive > 0, amount_positive / n_positive, null) as mean_amount,
        if(n_positive >= 10, deciles[1], null) as decile_1,
        if(n_positive >= 10, deciles[2], null) as decile_2,
        if(n_positive >= 10, deciles[3], null) as decile_3,
        if(n_positive >= 10, deciles[4], null) as decile_4,
        deciles[5] as median_amount,
        if(n_positive >= 10, deciles[6], null) as decile_6,
        if(n_positive >= 10, deciles[7], null) as decile_7,
        if(n_positive >= 10, deciles[8], null) as decile_8,
        if(n_positive >= 10, deciles[9], null) as decile_9,
    from grouped
)
select * from final order by scope, level, funder_id, breakdown_key, fiscal_year, currency, stage;
