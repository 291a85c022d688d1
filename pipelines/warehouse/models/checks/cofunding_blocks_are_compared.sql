-- Groupes trop grands pour comparer les titres deux à deux : seuls les titres identiques y sont rapprochés.
-- blocking: no

select block_kind, block, fiscal_year, n_funders, n_nodes, n_pairs from cofunding_blocks where not is_compared;
