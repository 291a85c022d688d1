-- Rapprochements retenus entre deux clés d'organismes : leur fondement (mêmes lignes, répertoire, noms, décision) et leur probabilité.

select
    links.left_key, links.right_key, identities.organisation_id, links.basis, links.probability, links.n_lines, links.decision_line
from resolved_links as links
join organisation_keys as identities on links.left_key = identities.organisation_key
order by all;
