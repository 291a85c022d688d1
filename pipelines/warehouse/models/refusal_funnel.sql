-- Taux de refus en entonnoir : chaque service comparable en face du taux d'ensemble de son groupe, avec ce que le seul hasard explique à ce nombre de décisions (95 % et 99,8 %). Réservé aux analystes ; ce n'est pas un classement.
-- comparison : funder, services d'un même financeur ; scheme, même dispositif chez plusieurs services. Même exercice, et irrecevabilités dites ou non de part et d'autre.

with comparable as (
    select * from refusal_rates where level in ('service', 'service_scheme') and comparability = 'comparable'
),
grouped as (
    select 'funder' as comparison, funder_id as comparison_group, * from comparable where level = 'service'
    union all
    select 'scheme' as comparison, slug(scheme) as comparison_group, *
    from comparable
    where level = 'service_scheme' and slug(scheme) is not null
),
pooled as (
    select
        *,
        count(*) over peers as n_services,
        (sum(n_refused) over peers)::double / (sum(n_decided) over peers)::double as group_rate
    from grouped
    window peers as (partition by comparison, comparison_group, fiscal_year, has_inadmissible)
),
limited as (  -- Spiegelhalter (2005): the pooled rate, give or take z standard errors of a binomial share
    select
        *,
        greatest(0, group_rate - 1.959963984540054 * sqrt(group_rate * (1 - group_rate) / n_decided)) as limit_95_low,
        least(1, group_rate + 1.959963984540054 * sqrt(group_rate * (1 - group_rate) / n_decided)) as limit_95_high,
        greatest(0, group_rate - 3.090232306167813 * sqrt(group_rate * (1 - group_rate) / n_decided)) as limit_998_low,
        least(1, group_rate + 3.090232306167813 * sqrt(group_rate * (1 - group_rate) / n_decided)) as limit_998_high
    from pooled
    where n_services >= 2
),
final as (
    select
        comparison,
        comparison_group,
        fiscal_year,
        has_inadmissible,
        funder_id,
        service_key,
        scheme,
        n_decided,
        n_refused,
        refusal_rate,
        n_services::integer as n_services,
        group_rate,
        limit_95_low, limit_95_high, limit_998_low, limit_998_high,
        case
            when refusal_rate > limit_998_high then 'above_998'
            when refusal_rate > limit_95_high then 'above_95'
            when refusal_rate < limit_998_low then 'below_998'
            when refusal_rate < limit_95_low then 'below_95'
            else 'inside'
        end as funnel_position
    from limited
)
select * from final order by comparison, comparison_group, fiscal_year, has_inadmissible, funder_id, service_key, scheme;
