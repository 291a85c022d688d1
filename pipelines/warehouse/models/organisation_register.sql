-- Ce que les répertoires officiels (Sirene, RNA) disent des organismes, quand leurs fichiers sont dans raw/reference/.

select
    register.organisation_key, identities.organisation_id, register.register, register.legal_name, register.short_name,
    register.legal_category, register.is_active, register.is_natural, register.is_restricted, communes.code as seat_commune_code
from resolved_register as register
join organisation_keys as identities using (organisation_key)
left join reference_communes as communes on register.seat_commune_code = communes.code
order by register.organisation_key;
