-- Identifiants de chaque organisme : SIREN, RNA, numéros propres aux financeurs ; et les SIRET, qui disent où.

with sirets as (
    select organisation_id, applicant_siret as identifier, count(*) as n_lines
    from applications
    where applicant_siret is not null
    group by all
),
lines as (
    select organisation_key, sum(n_lines)::bigint as n_lines from organisation_mentions group by organisation_key
),
numbers as (
    select
        organisation_keys.organisation_id,
        split_part(organisation_key, ':', 1) as kind,
        if(kind = 'local', split_part(organisation_key, ':', 2), null) as funder_id,
        if(kind = 'local', organisation_key[length('local:' || funder_id || ':') + 1:], split_part(organisation_key, ':', 2)) as identifier,
        coalesce(lines.n_lines, 0) as n_lines
    from organisation_keys
    left join lines using (organisation_key)
    where split_part(organisation_key, ':', 1) in ('siren', 'rna', 'local')
),
final as (
    select * from numbers
    union all
    select organisation_id, 'siret' as kind, null as funder_id, identifier, n_lines from sirets
)
select * from final order by organisation_id, kind, funder_id, identifier;
