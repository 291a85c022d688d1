-- Les parts annuelles des conventions redonnent le montant de chaque subvention, au centime.
-- blocking: yes

select application_id, currency, stage, lines.amount, years.amount as amount_spread
from (
    select application_id, currency, stage, sum(amount_headline) as amount
    from applications
    where is_counted and is_award and is_grant
    group by all
) as lines
full join (select application_id, currency, stage, sum(amount) as amount from funding_years group by all) as years
    using (application_id, currency, stage)
where lines.amount is distinct from years.amount;
