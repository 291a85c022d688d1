-- Motifs communiqués, par service, dispositif et exercice, sur deux niveaux : irrecevabilité (inadmissible) ou refus après examen (examined), puis motif. Réservé aux analystes.
-- Un financeur n'est pas tenu, sauf exception, de motiver un refus : not_disclosed_share dit sur combien de décisions le motif manque.

with source as (
    select
        funder_id, service_key, scheme, fiscal_year,
        if(decision_status = 'refused', 'examined', 'inadmissible') as stage,
        refusal_reason,
        count(*) as n
    from decisions
    where decision_status in ('refused', 'inadmissible')
    group by all
),
final as (
    select
        funder_id,
        service_key,
        scheme,
        fiscal_year,
        stage,
        refusal_reason,
        n::integer as n,
        (sum(n) over of_stage)::integer as n_stage,
        ratio(n, sum(n) over of_stage) as reason_share,
        ratio(coalesce(sum(n) filter (refusal_reason = 'not_disclosed') over of_stage, 0), sum(n) over of_stage) as not_disclosed_share
    from source
    window of_stage as (partition by funder_id, service_key, scheme, fiscal_year, stage)
)
select * from final order by funder_id, service_key, scheme, fiscal_year, stage, refusal_reason;
