-- Exercices où un financeur a des attributions comptées, et si l'on peut y lire une absence : un exercice qui n'est pas fini, ou presque vide, ne montre pas de perte.
-- Presque vide : moins de min_year_share (table publication) de la médiane des autres exercices du financeur (un reliquat, un fichier arrêté en cours d'année, une collectivité qui a fusionné).

with counts as (
    select funder_id, fiscal_year, count(*) as n_awards from applications where is_counted and is_award group by all
),
usual as (
    select counts.funder_id, counts.fiscal_year, median(others.n_awards) as usual_awards
    from counts
    join counts as others on counts.funder_id = others.funder_id and counts.fiscal_year <> others.fiscal_year
    group by all
),
final as (
    select
        counts.funder_id,
        counts.fiscal_year,
        counts.n_awards::integer as n_awards,
        usual.usual_awards,
        case
            when counts.fiscal_year >= year(getvariable('as_of')::date) then 'in_progress'
            when counts.n_awards < getvariable('min_year_share') * usual.usual_awards then 'nearly_empty'
            else 'complete'
        end as completeness
    from counts
    left join usual using (funder_id, fiscal_year)
)
select * from final order by funder_id, fiscal_year;
