-- Comment les thèmes ont été trouvés : lignes comptées de chaque financeur par ce qui a dit le thème, et ce qui reste sans thème.

with counted as (
    select
        funder_id,
        theme_basis,
        count(*)::integer as n_lines,
        count(*) filter (is_award)::integer as n_award_lines
    from applications
    where is_counted
    group by funder_id, theme_basis
),
final as (
    select
        funder_id,
        theme_basis,
        bases.label as basis_label,
        n_lines,
        ratio(n_lines, sum(n_lines) over (partition by funder_id)) as line_share,
        n_award_lines
    from counted
    join codelist_theme_basis as bases on counted.theme_basis = bases.code
)
select * from final order by funder_id, n_lines desc, theme_basis;
