-- Refusé ici, accordé là : pour chaque projet cofinancé, le financeur qui a refusé (ou jugé irrecevable) et celui qui a accordé. Réservé aux analystes : rien de cette table ne se publie.

with lines as (
    select * from cofunded_lines
),
outcomes as (  -- a funder that granted one request of the project has not refused it
    select
        project_id, organisation_id, fiscal_year, funder_id, service_key,
        arg_min(decision_status, decision_rank(decision_status)) as decision_status,
        arg_min(line_id, row(decision_rank(decision_status), line_id)) as line_id,
        if(count(distinct currency) = 1, sum(amount_requested), null) as amount_requested,
        if(count(distinct (currency, stage)) filter (is_award) = 1, sum(amount_headline), null) as amount,
        if(count(distinct (currency, stage)) filter (is_award) = 1, min(stage) filter (is_award), null) as stage,
        if(count(distinct currency) = 1, min(currency), null) as currency
    from lines
    group by all
),
granting as (
    select distinct project_id, funder_id from lines where is_award
),
final as (
    select
        refused.project_id,
        refused.organisation_id,
        refused.fiscal_year,
        projects.title,
        projects.evidence,
        refused.funder_id as refusing_funder_id,
        refused.service_key as refusing_service_key,
        refused.decision_status,
        refused.amount_requested,
        granted.funder_id as granting_funder_id,
        granted.service_key as granting_service_key,
        granted.amount,
        granted.stage,
        granted.currency,
        refused.line_id as refused_line_id,
        granted.line_id as granted_line_id
    from outcomes as refused
    join outcomes as granted using (project_id, organisation_id)
    join cofunded_projects as projects using (project_id)
    anti join granting on refused.project_id = granting.project_id and refused.funder_id = granting.funder_id
    where refused.decision_status in ('refused', 'inadmissible') and granted.decision_status = 'awarded'
)
select * from final order by project_id, refused_line_id, granted_line_id;
