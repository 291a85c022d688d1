-- Motifs communiqués par les financeurs : irrecevabilités (stage « inadmissible ») et refus après examen (« examined »).
-- Un financeur n'est pas tenu, sauf exception, de motiver un refus : « not_disclosed » compte les décisions sans motif.

with source as (
    select * from decisions where decision_status in ('refused', 'inadmissible')
),
final as (
    select
        funder_id,
        fiscal_year,
        if(decision_status = 'refused', 'examined', 'inadmissible') as stage,
        refusal_reason,
        count(*)::integer as n
    from source
    group by all
)
select * from final order by funder_id, fiscal_year, stage, refusal_reason;
