-- Seuil de publication de chaque financeur et exercice : sous ce montant, une subvention peut exister sans être publiée.
-- basis : declared, le financeur le dit ; legal, il dit ne publier qu'au-dessus du seuil légal (23 000 €) ; observed, dix attributions au moins et aucune sous 23 000 € ; all, il dit tout publier ; unknown.

with source as (
    select depositor, funder_id, funder_name, funder_siren, fiscal_year, publication_scope, amount_headline, currency
    from applications
    where is_counted and is_award and is_grant
),
declared as (
    select funders.funder_id, max(given.publication_threshold) as threshold
    from given_declarations as given
    join (select distinct depositor, funder_id, funder_name, funder_siren from source) as funders
        on given.depositor = funders.depositor
        and (
            given.funder_siren = funders.funder_siren
            or slug(given.funder_name) = slug(funders.funder_name)
            or coalesce(given.funder_siren, given.funder_name) is null
        )
    where given.publication_threshold > 0
    group by funders.funder_id
),
years as (
    select
        funder_id, fiscal_year,
        bool_or(publication_scope = 'above_threshold') as is_above,
        bool_and(coalesce(publication_scope = 'all', false)) as is_all,
        count(*) filter (amount_headline > 0 and currency = 'EUR') as n_positive,
        min(amount_headline) filter (amount_headline > 0 and currency = 'EUR') as smallest
    from source
    group by all
),
final as (
    select
        years.funder_id,
        years.fiscal_year,
        case
            when years.is_above and declared.threshold > 0 then declared.threshold
            when years.is_above or not years.is_all and years.n_positive >= 10 and years.smallest >= 23000 then 23000
        end::integer as threshold,
        case
            when years.is_above and declared.threshold > 0 then 'declared'
            when years.is_above then 'legal'
            when years.is_all then 'all'
            when years.n_positive >= 10 and years.smallest >= 23000 then 'observed'
            else 'unknown'
        end as basis
    from years
    left join declared using (funder_id)
)
select * from final order by funder_id, fiscal_year;
