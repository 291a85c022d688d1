-- Bénéficiaires nouveaux, reconduits et revenus d'un financeur, par exercice, et ce qu'ils reçoivent ; une convention est répartie sur ses années.
-- Par rapport aux années observées d'avant ; rien la première année observée. Un bénéficiaire payé en plusieurs monnaies ou étapes est dans chacune.

select * from funding.funding_flows_by_funder_year order by funder_id, fiscal_year, flow, currency, stage;
