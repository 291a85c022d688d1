-- Lignes des projets cofinancés : un projet réunit des demandes d'au moins deux financeurs, accordées ou non, avec la preuve qui relie chaque ligne aux autres.
-- award_project_id, award_basis, award_likeness : le projet et sa preuve tels que les seules attributions les font voir ; les refus n'y sont pour rien. Réservé aux analystes.

with recursive
links as (
    select node_id, other_node_id, basis, likeness from cofunding_links where is_kept
),
linked as (
    select node_id from links union select other_node_id as node_id from links
),
members as (  -- a request stands for all the lines of its funder that say the same
    select node_id, node_id as line_id from linked
    union
    select node_id, line_id from cofunding_repeats semi join linked using (node_id)
),
awarded as (
    select distinct members.node_id from members join applications using (line_id) where applications.is_award
),
edges as (
    select *, row(case basis when 'shared_id' then 1 when 'named' then 2 else 3 end, -likeness, other_node_id) as rank
    from (
        select node_id, other_node_id, basis, likeness from links
        union all
        select other_node_id as node_id, node_id as other_node_id, basis, likeness from links
    )
),
award_edges as (
    select edges.*
    from edges
    semi join awarded using (node_id)
    semi join awarded as others on edges.other_node_id = others.node_id
),
reached (node_id, root) as (
    select distinct node_id, node_id as root from edges
    union
    select edges.other_node_id as node_id, reached.root
    from reached
    join edges using (node_id)
    where reached.root < edges.other_node_id
),
award_reached (node_id, root) as (
    select distinct node_id, node_id as root from award_edges
    union
    select award_edges.other_node_id as node_id, award_reached.root
    from award_reached
    join award_edges using (node_id)
    where award_reached.root < award_edges.other_node_id
),
roots as (
    select node_id, min(root) as root from reached group by node_id
),
award_roots as (
    select node_id, min(root) as root from award_reached group by node_id
),
evidence as (  -- the best link of each request
    select node_id, arg_min(struct_pack(basis, likeness, other_node_id), rank) as best from edges group by node_id
),
award_evidence as (
    select node_id, arg_min(struct_pack(basis, likeness), rank) as best from award_edges group by node_id
),
lines as (
    select
        roots.root,
        if(applications.is_award, award_roots.root, null) as award_root,
        applications.line_id,
        applications.application_id,
        applications.organisation_id,
        applications.fiscal_year,
        applications.funder_id,
        coalesce(funders.level, 'unknown') as funder_level,
        applications.service_key,
        applications.title,
        applications.purpose,
        applications.decision_status,
        applications.is_award,
        applications.currency,
        applications.stage,
        applications.amount_headline,
        applications.amount_requested,
        applications.cofunding_id,
        applications.cofunders,
        evidence.best.basis as basis,
        evidence.best.likeness as likeness,
        evidence.best.other_node_id as linked_line_id,
        if(applications.is_award, award_evidence.best.basis, null) as award_basis,
        if(applications.is_award, award_evidence.best.likeness, null) as award_likeness
    from members
    join roots using (node_id)
    join evidence using (node_id)
    left join award_roots using (node_id)
    left join award_evidence using (node_id)
    join applications using (line_id)
    join funders on applications.funder_id = funders.funder_id
),
final as (  -- named after what each is made of, so that one more refusal does not rename what is public
    select
        'projet-' || left(md5(concat_ws('/', min(application_id) over (partition by root), fiscal_year)), 12) as project_id,
        if(award_root is null, null, 'projet-' || left(md5(concat_ws('/', min(application_id) over (
            partition by award_root
        ), fiscal_year, 'accord')), 12)) as award_project_id,
        lines.* exclude (root, award_root)
    from lines
)
select * from final order by project_id, line_id;
