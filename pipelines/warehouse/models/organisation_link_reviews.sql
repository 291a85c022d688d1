-- Rapprochements à décider par un analyste, les plus probables d'abord ; la décision s'écrit dans organisation_decisions.csv.

select
    reviews.left_key, reviews.left_name, lefts.organisation_id as left_id,
    reviews.right_key, reviews.right_name, rights.organisation_id as right_id,
    reviews.probability, reviews.reason, reviews.n_lines
from resolved_reviews as reviews
join organisation_keys as lefts on reviews.left_key = lefts.organisation_key
join organisation_keys as rights on reviews.right_key = rights.organisation_key
where lefts.organisation_id != rights.organisation_id
order by reviews.probability desc nulls last, reviews.left_key, reviews.right_key;
