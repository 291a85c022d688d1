-- Demandeurs identifiés et exercices dont des lignes sont comparées : plusieurs financeurs (is_shared), ou un identifiant de cofinancement.

with source as (
    select organisation_id, fiscal_year, funder_id, cofunding_id
    from applications
    where is_counted and is_grant and is_identified(organisation_id)
),
final as (
    select
        (row_number() over ())::integer as block,
        organisation_id,
        fiscal_year,
        count(distinct funder_id) > 1 as is_shared
    from source
    group by organisation_id, fiscal_year
    having is_shared or count(cofunding_id) > 0
)
select * from final;
