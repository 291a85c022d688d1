-- Les décisions de chaque table de taux sont celles des demandes, statut par statut.
-- blocking: yes

with marts as (
    select 'refusal_rates_by_funder_year' as mart, columns('^n_(awarded|refused|inadmissible|withdrawn|closed|pending|cancelled|unknown|total)$') from refusal_rates_by_funder_year
    union all
    select 'refusal_rates_by_service_year' as mart, columns('^n_(awarded|refused|inadmissible|withdrawn|closed|pending|cancelled|unknown|total)$') from refusal_rates_by_service_year
    union all
    select 'refusal_rates_by_service_territory_year' as mart, columns('^n_(awarded|refused|inadmissible|withdrawn|closed|pending|cancelled|unknown|total)$') from refusal_rates_by_service_territory_year
    union all
    select 'refusal_rates_by_scheme_year' as mart, columns('^n_(awarded|refused|inadmissible|withdrawn|closed|pending|cancelled|unknown|total)$') from refusal_rates_by_scheme_year
),
mart_totals as (
    select mart, sum(columns(* exclude (mart))) as '\0' from marts group by mart
),
decision_totals as (
    select
        count(*) filter (decision_status = 'awarded') as n_awarded,
        count(*) filter (decision_status = 'refused') as n_refused,
        count(*) filter (decision_status = 'inadmissible') as n_inadmissible,
        count(*) filter (decision_status = 'withdrawn') as n_withdrawn,
        count(*) filter (decision_status = 'closed_no_action') as n_closed,
        count(*) filter (decision_status = 'pending') as n_pending,
        count(*) filter (decision_status = 'cancelled') as n_cancelled,
        count(*) filter (decision_status = 'unknown') as n_unknown,
        count(*) as n_total
    from decisions
)
select mart_totals.*
from mart_totals
cross join decision_totals
where mart_totals.n_awarded is distinct from decision_totals.n_awarded
    or mart_totals.n_refused is distinct from decision_totals.n_refused
    or mart_totals.n_inadmissible is distinct from decision_totals.n_inadmissible
    or mart_totals.n_withdrawn is distinct from decision_totals.n_withdrawn
    or mart_totals.n_closed is distinct from decision_totals.n_closed
    or mart_totals.n_pending is distinct from decision_totals.n_pending
    or mart_totals.n_cancelled is distinct from decision_totals.n_cancelled
    or mart_totals.n_unknown is distinct from decision_totals.n_unknown
    or mart_totals.n_total is distinct from decision_totals.n_total;
