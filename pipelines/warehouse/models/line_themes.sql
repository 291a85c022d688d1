-- Thème de chaque ligne, et ce qui l'a dit : le fichier, la table d'un format, un programme, ou une expression de la règle.
-- L'aide alimentaire est cherchée avant tout autre thème. Réservé aux analystes.

with source as (
    select
        lines.line_id, lines.fiscal_year, lines.theme, lines.theme_raw, lines.scheme, lines.title, lines.applicant_name,
        lines.service_name, lines.budget_programme
    from staged_applications as lines
    join deposits using (deposit_id)
    where deposits.status = 'accepted' and deposits.is_current
),
listed as (
    select slug(label) as word from codelist_theme
    union
    select slug(code) as word from codelist_theme
),
stated_words as (  -- each spelling once
    select words.theme_raw
    from (select distinct theme_raw from source where theme is not null and theme_raw is not null) as words
    semi join listed on slug(words.theme_raw) = listed.word
),
heard as (
    select
        source.line_id,
        source.theme as file_theme,
        source.theme_raw as file_words,
        stated_words.theme_raw is not null as is_stated,
        programme.theme as programme_theme,
        programme.expression as programme_code,
        programme.is_broad as is_broad_programme,
        columns(scheme.* exclude (field, text)) as 'scheme_\0',
        columns(title.* exclude (field, text)) as 'title_\0',
        columns(theme_raw.* exclude (field, text)) as 'theme_raw_\0',
        columns(applicant_name.* exclude (field, text)) as 'applicant_name_\0',
        columns(service_name.* exclude (field, text)) as 'service_name_\0'
    from source
    left join stated_words using (theme_raw)
    left join given_theme_programmes as programme
        on source.budget_programme = programme.text and source.fiscal_year between programme.first_year and programme.last_year
    left join given_theme_texts as scheme on scheme.field = 'scheme' and source.scheme = scheme.text
    left join given_theme_texts as title on title.field = 'title' and source.title = title.text
    left join given_theme_texts as theme_raw on theme_raw.field = 'theme_raw' and source.theme_raw = theme_raw.text
    left join given_theme_texts as applicant_name
        on applicant_name.field = 'applicant_name' and source.applicant_name = applicant_name.text
    left join given_theme_texts as service_name
        on service_name.field = 'service_name' and source.service_name = service_name.text
),
decided as (  -- the first that says something, in this order
    select
        *,
        case
            when file_theme is not null then if(is_stated, 'stated', 'lookup')
            when scheme_theme = 'food_aid' then 'scheme'
            when title_theme = 'food_aid' then 'title'
            when theme_raw_theme = 'food_aid' then 'theme_raw'
            when applicant_name_theme = 'food_aid' then 'applicant_name'
            when programme_theme is not null and not is_broad_programme then 'programme'
            when scheme_theme is not null then 'scheme'
            when title_theme is not null then 'title'
            when theme_raw_theme is not null then 'theme_raw'
            when applicant_name_theme is not null then 'applicant_name'
            when programme_theme is not null then 'programme'
            when service_name_theme is not null then 'service'
            when coalesce(service_name_hint_theme, scheme_hint_theme, title_hint_theme, theme_raw_hint_theme, applicant_name_hint_theme)
                is not null then 'hint'
            else 'none'
        end as basis
    from heard
),
final as (
    select
        line_id,
        case basis
            when 'stated' then file_theme
            when 'lookup' then file_theme
            when 'scheme' then scheme_theme
            when 'title' then title_theme
            when 'theme_raw' then theme_raw_theme
            when 'applicant_name' then applicant_name_theme
            when 'programme' then programme_theme
            when 'service' then service_name_theme
            when 'hint' then
                coalesce(service_name_hint_theme, scheme_hint_theme, title_hint_theme, theme_raw_hint_theme, applicant_name_hint_theme)
            else 'unknown'
        end as theme,
        basis as theme_basis,
        case basis
            when 'lookup' then file_words
            when 'scheme' then scheme_expression
            when 'title' then title_expression
            when 'theme_raw' then theme_raw_expression
            when 'applicant_name' then applicant_name_expression
            when 'programme' then programme_code
            when 'service' then service_name_expression
            when 'hint' then coalesce(
                service_name_hint_expression, scheme_hint_expression, title_hint_expression, theme_raw_hint_expression,
                applicant_name_hint_expression)
        end as theme_expression
    from decided
)
select * from final order by line_id;
