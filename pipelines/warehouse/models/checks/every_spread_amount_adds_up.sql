-- Les parts annuelles des conventions redonnent le montant de chaque subvention, au centime.
-- blocking: yes

select application_id, currency, stage, sum(line_amount) as amount, sum(year_amount) as amount_spread
from (
    select application_id, currency, stage, amount_headline as line_amount, null as year_amount
    from applications
    where is_counted and is_award and is_grant
    union all
    select application_id, currency, stage, null as line_amount, amount as year_amount from funding_years
)
group by all
having sum(line_amount) is distinct from sum(year_amount);
