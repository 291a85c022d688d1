-- Ce que des personnes physiques ou des organismes de nature inconnue ont reçu, à la maille des décisions.

with final as (
    select decisions.funder_id, decisions.fiscal_year, decisions.service_key, decisions.scheme, decisions.departement_code,
        sum(decisions.amount_awarded) as amount_awarded
    from funding.decisions as decisions
    semi join other_awards using (application_id)
    where decisions.decision_status = 'awarded'
    group by all
)
select * from final;
