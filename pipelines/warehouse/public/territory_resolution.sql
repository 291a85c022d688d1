-- Comment les lieux ont été trouvés : lignes accordées par règle, et ce qui reste sans territoire.

with source as (
    select * from funding.territory_resolution where n_award_lines > 0
)
select
    role,
    territory_rule,
    rule_label,
    is_resolved,
    n_award_lines,
    n_award_lines / sum(n_award_lines) over (partition by role)::double as line_share
from source
order by role desc, is_resolved desc, n_award_lines desc, territory_rule;
