-- Appels à projets des listes déposées, avec leur état à la date de référence.

select * exclude (n_lines, first_year, last_year, is_declared) from funding.calls where is_declared order by call_key;
