-- Rythme de chaque déposant : dernier exercice apporté, délai habituel après la fin d'un exercice (au moins deux observations), date à laquelle le suivant est en retard.

select * from given_rhythms order by depositor;
