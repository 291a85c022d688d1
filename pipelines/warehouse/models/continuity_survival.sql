-- Durée des relations de financement (Kaplan-Meier) : part des relations encore ininterrompues après chaque nombre d'années, chez un financeur et un service suivi.
-- Entrées dont l'année d'avant est observée ; relation coupée par la fin des données retirée des relations suivies à partir de là ; n_at_risk dit sur combien repose chaque pas.

with entries as (
    select * from continuity_relations where is_entry_observed
),
ages as (
    select
        level, funder_id, relation_key, unnest(range(1, max(age_last_seen) + 1))::integer as age, count(*)::integer as n_relations
    from entries
    group by level, funder_id, relation_key
),
counted as (
    select
        ages.*,
        count(*) filter (entries.age_last_seen >= ages.age)::integer as n_at_risk,
        count(*) filter (entries.age_last_seen = ages.age and entries.is_ended)::integer as n_ended,
        count(*) filter (entries.age_last_seen = ages.age and not entries.is_ended)::integer as n_censored,
        count(*) filter (entries.age_last_seen = ages.age and entries.below_threshold_possible)::integer as n_below_threshold_possible
    from ages
    join entries using (level, funder_id, relation_key)
    group by all
),
estimated as (
    select
        *,
        product(1 - n_ended / n_at_risk::double) over steps as survival,
        sum(if(n_ended < n_at_risk, n_ended / (n_at_risk::double * (n_at_risk - n_ended)), null)) over steps as greenwood
    from counted
    window steps as (partition by level, relation_key order by age)
),
final as (
    select
        level,
        funder_id,
        relation_key,
        age,
        n_relations,
        n_at_risk,
        n_ended,
        n_censored,
        n_below_threshold_possible,
        survival,
        if(survival > 0, survival * sqrt(greenwood), null) as survival_error,  -- Greenwood (1926)
        n_at_risk >= 20 as is_enough
    from estimated
)
select * from final order by level, relation_key, age;
