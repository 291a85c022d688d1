-- Identifiants et noms sous lesquels les demandeurs sont connus, chacun avec l'organisme retenu.
-- Une clé : siren:…, rna:…, local:financeur:numéro, name:financeur:nom. Une décision se prend sur ces clés.

with mentioned as (
    select distinct organisation_key from organisation_mentions
),
final as (
    select organisation_key, organisation_id from resolved_keys
    union all
    select organisation_key, organisation_key as organisation_id from mentioned anti join resolved_keys using (organisation_key)
)
select * from final order by organisation_key;
