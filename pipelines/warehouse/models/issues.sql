-- Problèmes relevés dans les fichiers, avec leur place ; les valeurs personnelles sont masquées.

select * from staged_issues order by all;
