-- Départements de chaque service : ceux de sa compétence déclarée, et ceux où siègent les bénéficiaires de ses attributions.

select * from funding.service_departements order by service_key, departement_code;
