-- Publication des refus par financeur, service et exercice : déclarée par le financeur, sinon observée (un refus ou une irrecevabilité au moins), sinon inconnue.

with source as (
    select
        funder_id, service_key, fiscal_year, depositor, funder_name,
        substr(service_key, length(funder_id) + 2) as service_slug,
        count(*) as n_lines
    from applications
    where is_counted
    group by all
),
cells as (
    select funder_id, service_key, fiscal_year, sum(n_lines)::integer as n_lines from source group by all
),
named as (
    select source.*, funder_slugs.funder_slug
    from source
    join (
        select funder_name, slug(funder_name) as funder_slug from (select distinct funder_name from source)
    ) as funder_slugs using (funder_name)
),
declarations as (
    select
        row_number() over (order by depositor, funder_siren, funder_name, service_name, fiscal_year, publishes_refusals) as declaration,
        depositor,
        funder_siren,
        slug(funder_name) as funder_slug,
        slug(service_name) as service_slug,
        fiscal_year,
        publishes_refusals
    from given_declarations
    where publishes_refusals is not null
),
speaks_for as (  -- the funder it names, when the folder's lines name it; else the folder's every line
    select distinct declarations.declaration
    from declarations
    join named
        on declarations.depositor = named.depositor
        and (declarations.funder_siren = named.funder_id or declarations.funder_slug = named.funder_slug)
),
matched as (
    select
        named.funder_id, named.service_key, named.fiscal_year, declarations.publishes_refusals,
        4 * (declarations.service_slug is not null)::integer + 2 * (declarations.fiscal_year is not null)::integer
            + (speaks_for.declaration is not null)::integer as precision_rank
    from declarations
    left join speaks_for using (declaration)
    join named
        on declarations.depositor = named.depositor
        and (declarations.fiscal_year is null or declarations.fiscal_year = named.fiscal_year)
        and (declarations.service_slug is null or declarations.service_slug = named.service_slug or exists (
            from service_names
            where service_names.funder_id = named.funder_id and service_names.name_slug = declarations.service_slug
                and service_names.service_slug = named.service_slug
        ))
        and (
            speaks_for.declaration is null
            or declarations.funder_siren = named.funder_id
            or declarations.funder_slug = named.funder_slug
        )
),
most_precise as (
    select funder_id, service_key, fiscal_year, bool_and(publishes_refusals) as published
    from (
        from matched
        qualify precision_rank = max(precision_rank) over (partition by funder_id, service_key, fiscal_year)
    )
    group by all
),
observed as (
    select
        funder_id, service_key, fiscal_year,
        count(*) filter (decision_status <> 'awarded') as n_non_awards,
        count(*) filter (decision_status = 'refused') as n_refused,
        count(*) filter (decision_status in ('refused', 'inadmissible')) as n_refused_or_inadmissible
    from decisions
    group by all
),
final as (
    select
        cells.funder_id,
        cells.service_key,
        cells.fiscal_year,
        coalesce(declared.published, if(observed.n_refused_or_inadmissible > 0, true, null)) as published,
        case
            when declared.published is not null then 'declared'
            when observed.n_refused_or_inadmissible > 0 then 'observed'
            else 'unknown'
        end as basis,
        cells.n_lines,
        coalesce(observed.n_non_awards, 0)::integer as n_non_awards,
        coalesce(observed.n_refused, 0)::integer as n_refused
    from cells
    left join most_precise as declared using (funder_id, service_key, fiscal_year)
    left join observed using (funder_id, service_key, fiscal_year)
)
select * from final order by funder_id, service_key, fiscal_year;
