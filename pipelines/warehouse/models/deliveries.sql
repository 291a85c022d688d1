-- Premier jour où chaque déposant a apporté chaque exercice, d'après la date que dit le fichier, sinon son arrivée.

select * from given_deliveries order by depositor, fiscal_year;
