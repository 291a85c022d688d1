-- Chaque décision sur des organismes désigne des organismes présents.
-- blocking: no

select line, left_key, right_key, problem from organisation_decisions where not is_applied;
