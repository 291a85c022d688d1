-- Comment les thèmes ont été trouvés : lignes accordées de chaque financeur par ce qui a dit le thème, et ce qui reste sans thème.

with source as (
    select * from funding.theme_resolution where n_award_lines > 0
)
select
    funder_id,
    theme_basis,
    basis_label,
    n_award_lines,
    n_award_lines / sum(n_award_lines) over (partition by funder_id)::double as line_share
from source
order by funder_id, n_award_lines desc, theme_basis;
