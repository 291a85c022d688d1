-- Chaque décision sur des lignes de deux déposants désigne des lignes comptées, et est suivie.
-- blocking: no

select line, left_key, right_key, problem from line_decisions where not is_applied;
