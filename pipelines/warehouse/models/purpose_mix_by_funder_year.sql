-- Fonctionnement, projet et investissement : ce qui est demandé en face de ce qui est accordé, par financeur et exercice. Réservé aux analystes.
-- Demandes accordées ou refusées dont le montant demandé est connu. asked_scope : decided, le financeur publie ses refus ; awards_only, seules les demandes accordées sont connues et la demande ne l'est pas.

with source as (
    select *, decision_status = 'refused' or decision_status = 'awarded' and amount_awarded is not null as is_amount_known
    from decisions
    where decision_status in ('awarded', 'refused')
),
grouped as (
    select
        funder_id, fiscal_year, currency, purpose,
        count(*) as n_decided,
        count(*) filter (decision_status = 'awarded') as n_awarded,
        count(amount_requested) filter (is_amount_known) as n_requested_known,
        sum(amount_requested) filter (is_amount_known) as amount_requested,
        sum(amount_awarded) filter (amount_requested is not null) as amount_awarded_where_requested,
        sum(amount_awarded) as amount_awarded
    from source
    group by funder_id, fiscal_year, currency, purpose
),
publication as (
    select funder_id, fiscal_year, coalesce(published, false) as published from refusal_rates where level = 'funder'
),
final as (
    select
        grouped.funder_id,
        grouped.fiscal_year,
        grouped.currency,
        grouped.purpose,
        if(publication.published, 'decided', 'awards_only') as asked_scope,
        grouped.n_decided::integer as n_decided,
        grouped.n_awarded::integer as n_awarded,
        grouped.n_requested_known::integer as n_requested_known,
        grouped.amount_requested,
        grouped.amount_awarded_where_requested,
        grouped.amount_awarded,
        if(publication.published, ratio(amount_requested, sum(amount_requested) over cell), null) as requested_share,
        ratio(amount_awarded, sum(amount_awarded) over cell) as awarded_share
    from grouped
    join publication using (funder_id, fiscal_year)
    window cell as (partition by funder_id, fiscal_year, currency)
)
select * from final order by funder_id, fiscal_year, currency, purpose;
