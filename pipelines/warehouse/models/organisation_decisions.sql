-- Décisions inscrites dans organisation_decisions.csv, chacune suivie ou en attente, et pourquoi.

with keys as (
    select organisation_key, organisation_id from organisation_keys
),
final as (
    select
        decisions.line, decisions.left_key, decisions.right_key, decisions.decision, decisions.author, decisions.reason,
        decisions.decided_date, decisions.is_applied, decisions.problem,
        lefts.organisation_id as left_id, rights.organisation_id as right_id
    from resolved_decisions as decisions
    left join keys as lefts on decisions.left_key = lefts.organisation_key
    left join keys as rights on decisions.right_key = rights.organisation_key
)
select * from final order by line;
