-- Irrégularité des montants : bénéficiaires financés au moins trois années observées par un financeur, ou un service suivi, dans la même monnaie et à la même étape, investissement mis à part ; en euros courants.
-- Seulement à partir de dix bénéficiaires suivis.

select * from funding.continuity_volatility
where n_followed >= getvariable('min_decisions')
order by level, relation_key, currency, stage;
