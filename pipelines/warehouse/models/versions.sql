-- Versions : pour chaque dépôt et chaque exercice, si ses lignes sont comptées, et sinon quel autre dépôt les remplace.

select * from given_versions order by deposit_id, fiscal_year;
