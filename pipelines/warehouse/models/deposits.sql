-- Fichiers déposés : ce qui a été reçu, reconnu, accepté ou retenu, avec les comptes de chaque fichier.

select * from given_deposits order by deposit_id;
