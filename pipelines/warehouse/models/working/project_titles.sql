-- Intitulés distincts des lignes comptées, lus une seule fois : leurs mots à la suite (words_line), puis ceux qui parlent, et les mots propres (ni passe-partout, ni nombre).
-- title_purpose : fonctionnement ou investissement, quand l'intitulé le dit.

with source as (
    select distinct title from applications where is_counted and is_grant
),
renamed as (
    select
        title,
        title_words(title) as words,
        list_filter(words, lambda w: not is_plain_word(w)) as telling_words
    from source
),
final as (
    select
        title,
        array_to_string(words, ' ') as words_line,
        array_to_string(telling_words, ' ') as telling_line,
        array_to_string(list_filter(telling_words, lambda w: not is_number(w)), ' ') as own_line,
        case
            when list_contains(words, 'fonctionnement') then 'operating'
            when list_has_any(words, ['equipement', 'equipements', 'investissement', 'investissements', 'travaux']) then 'investment'
        end as title_purpose
    from renamed
)
select * from final;
