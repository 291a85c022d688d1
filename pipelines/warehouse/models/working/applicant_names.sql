-- Noms distincts des demandeurs des lignes comptées, et leurs mots à la suite (name_line), comme ceux d'un intitulé.

with source as (
    select distinct applicant_name from applications where is_counted and is_grant
),
final as (
    select applicant_name, array_to_string(title_words(applicant_name), ' ') as name_line from source
)
select * from final;
