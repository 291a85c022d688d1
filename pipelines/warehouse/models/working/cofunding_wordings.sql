-- Ce que disent les intitulés comparés, une fois chacun : leurs mots à la suite, les mêmes dans l'ordre alphabétique, leurs nombres.

with source as (
    select words_line from project_titles
    union
    select telling_line as words_line from project_titles where telling_line <> words_line
),
final as (
    select
        (row_number() over ())::integer as wording,
        words_line,
        array_to_string(list_sort(words_of(words_line)), ' ') as sorted_line,
        array_to_string(list_filter(words_of(words_line), lambda w: is_number(w)), ' ') as numbers_line
    from source
)
select * from final;
