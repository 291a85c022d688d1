-- Comment les lieux ont été trouvés : lignes comptées et écritures différentes par règle, et ce qui reste sans territoire.

with source as (
    select
        'seat' as role, seat_territory_rule as territory_rule, is_award,
        seat_departement_code is not null as has_departement, seat_territory_conflict is not null as is_contradicted,
        seat_departement_code <> action_departement_code as is_elsewhere,
        hash(seat_commune_code_stated, seat_postcode, seat_commune_name, authority_siren(applicant_siren, applicant_siret)) as place
    from applications
    where is_counted
    union all
    select
        'action' as role, action_territory_rule as territory_rule, is_award,
        action_departement_code is not null as has_departement, false as is_contradicted,
        seat_departement_code <> action_departement_code as is_elsewhere,
        hash(action_territory_level, action_territory_code, action_territory_name) as place
    from applications
    where is_counted
),
counted as (
    select
        role,
        territory_rule,
        count(*)::integer as n_lines,
        count(*) filter (is_award)::integer as n_award_lines,
        count(distinct place)::integer as n_distinct,
        count(*) filter (not has_departement)::integer as n_without_departement,
        count(*) filter (is_contradicted)::integer as n_contradicted,
        count(*) filter (is_elsewhere)::integer as n_elsewhere
    from source
    group by role, territory_rule
),
final as (
    select
        role,
        territory_rule,
        rules.label as rule_label,
        rules.is_resolved = 'yes' as is_resolved,
        n_lines,
        ratio(n_lines, sum(n_lines) over (partition by role)) as line_share,
        n_award_lines,
        n_distinct,
        n_without_departement,
        n_contradicted,
        n_elsewhere
    from counted
    join codelist_territory_rule as rules on counted.territory_rule = rules.code
)
select * from final order by role desc, is_resolved desc, n_lines desc, territory_rule;
