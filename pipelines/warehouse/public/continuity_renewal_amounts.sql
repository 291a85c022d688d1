-- Variation du montant au renouvellement : bénéficiaires financés deux années civiles de suite par un financeur, ou un service suivi, dans la même monnaie et à la même étape, investissement mis à part.
-- Une hausse et une baisse de même rapport pèsent autant : |Δ ln| = |ln(montant ÷ montant d'avant)| ; en euros courants.
-- Seulement à partir de dix renouvellements.

select * from funding.continuity_renewal_amounts
where n_renewals_with_amount >= getvariable('min_decisions')
order by level, relation_key, fiscal_year, currency, stage;
