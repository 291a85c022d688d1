-- Chaque ligne a un thème de la liste, « unknown » compris, et dit ce qui l'a donné.
-- blocking: yes

select line_id, theme, theme_basis
from applications
where theme is null or theme_basis is null
    or theme not in (select code from codelist_theme)
    or theme_basis not in (select code from codelist_theme_basis)
    or (theme = 'unknown') <> (theme_basis = 'none') and theme_basis not in ('stated', 'lookup');
