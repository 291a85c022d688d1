-- Façons d'écrire un service, chacune avec le service retenu : l'annuaire, puis la table tenue par les analystes (schemas/service_names.csv). Un nom qui désigne deux services n'en désigne aucun.

with entries as (
    select
        lines.funder_id,
        coalesce(slug(lines.service_id), slug(lines.service_name), md5(lines.service_name)) as service_ref,
        lines.service_name,
        lines.service_variants,
        lines.source_sheet, lines.source_row, lines.received_at
    from service_lines as lines
),
canonical as (  -- the name that the latest deposit gives first
    select
        funder_id, service_ref,
        arg_max(service_name, row(received_at, -source_row)) as service_name
    from entries
    group by all
),
stated as (
    select funder_id, service_ref, slug(service_name) as name_slug, 'directory' as basis from entries
    union
    select funder_id, service_ref, slug(unnest(string_split(service_variants, ';'))) as name_slug, 'directory' as basis
    from entries
    where service_variants is not null
),
by_directory as (
    select stated.funder_id, stated.name_slug, canonical.service_name, slug(canonical.service_name) as service_slug, stated.basis
    from stated
    join canonical using (funder_id, service_ref)
    where stated.name_slug is not null
),
by_hand as (
    select distinct
        identities.funder_id,
        slug(lookup.variant) as name_slug,
        lookup.service as service_name,
        slug(lookup.service) as service_slug,
        'lookup' as basis
    from lookup_service_names as lookup
    join (select distinct funder_id, funder_slug from funder_identities) as identities
        on lookup.funder = identities.funder_id or slug(lookup.funder) = identities.funder_slug
),
together as (
    select * from by_directory union all select * from by_hand
),
canonical_names as (  -- a service's own name never stands for another
    select distinct funder_id, slug(service_name) as name_slug from canonical
),
final as (
    select
        together.funder_id,
        together.name_slug,
        min(together.service_slug) as service_slug,
        min_by(together.service_name, together.service_slug) as service_name,
        min(together.basis) as basis
    from together
    left join canonical_names using (funder_id, name_slug)
    where canonical_names.name_slug is null or together.service_slug = together.name_slug
    group by together.funder_id, together.name_slug
    having count(distinct together.service_slug) = 1
)
select * from final order by funder_id, name_slug;
