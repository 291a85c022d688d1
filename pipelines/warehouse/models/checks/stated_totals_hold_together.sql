-- Un financeur n'énonce pas plus de demandes accordées que de demandes déposées, ni deux totaux différents pour une même cellule.
-- blocking: no

select 'plus d''accordées que de déposées' as problem, funder_id, territory_key, fiscal_year, n_submitted, n_awarded
from stated_decisions
where n_awarded > n_submitted
union all
select 'deux totaux différents' as problem, funder_id, territory_key, fiscal_year, null as n_submitted, null as n_awarded
from stated_totals
where not_counted_reason = 'contradicted';
