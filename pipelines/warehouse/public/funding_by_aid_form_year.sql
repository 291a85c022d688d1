-- Aides par financeur, forme (numéraire, nature, prêt, garantie) et exercice ; prêts et garanties ne sont pas des subventions et ne s'y ajoutent pas.

select * from funding.funding_by_aid_form_year where n_awards > 0 order by funder_id, aid_form, fiscal_year, currency, stage;
