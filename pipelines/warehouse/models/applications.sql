-- Lignes acceptées des dépôts en cours : une ligne de fichier par ligne, avec ce qui la relie aux autres tables.
-- Toute somme ne porte que sur les lignes comptées (is_counted). Le thème : ce qui l'a dit (theme_basis) et l'expression de la règle trouvée.

with source as (
    select lines.*, deposits.depositor
    from staged_applications as lines
    join deposits using (deposit_id)
    where deposits.status = 'accepted' and deposits.is_current
),
real_deposit as (
    select coalesce(bool_or(status = 'accepted' and is_current and not is_demonstration), false) as has_arrived from deposits
),
named_services as (  -- from the files again: a table read twice would be held whole in memory
    select service_name, coalesce(slug(service_name), '-') as service_slug from (select distinct service_name from staged_applications)
),
listed_themes as (
    select slug(label) as word from codelist_theme
    union
    select slug(code) as word from codelist_theme
),
repeated as (
    select application_id from staged_applications group by application_id having count(*) > 1
),
stated_themes as (  -- each spelling once
    select words.theme_raw
    from (select distinct theme_raw from staged_applications where theme is not null and theme_raw is not null) as words
    semi join listed_themes on slug(words.theme_raw) = listed_themes.word
),
renamed as (
    select
        source.*,
        coalesce(versions.is_counted, true) as is_version_counted,
        versions.reason as version_reason,
        twins.other_line_id as counted_line_id,
        funder_ids.funder_id,
        funder_ids.funder_id || '/' || coalesce(known.service_slug, named_services.service_slug) as service_key,
        authority_siren(source.applicant_siren, source.applicant_siret) as authority_siren,
        repeated.application_id is null as is_only_line,
        source.decision_status = 'awarded' as is_award,
        coalesce(source.aid_form in ('loan', 'guarantee'), false)
            or (
                coalesce(source.amount_loan, source.amount_guarantee) is not null
                and coalesce(
                    source.amount_requested, source.amount_proposed, source.amount_awarded, source.amount_committed, source.amount_paid
                ) is null
            ) as is_loan_only,
        coalesce(source.headline_stage, 'awarded') as stage,
        theme_basis(
            source.theme, stated_themes.theme_raw is not null, scheme.theme, title.theme, theme_raw.theme, applicant_name.theme,
            programme.theme, programme.is_broad, service_name.theme,
            coalesce(service_name.hint_theme, scheme.hint_theme, title.hint_theme, theme_raw.hint_theme, applicant_name.hint_theme)
        ) as theme_basis,
        case theme_basis
            when 'stated' then source.theme
            when 'lookup' then source.theme
            when 'scheme' then scheme.theme
            when 'title' then title.theme
            when 'theme_raw' then theme_raw.theme
            when 'applicant_name' then applicant_name.theme
            when 'programme' then programme.theme
            when 'service' then service_name.theme
            when 'hint' then
                coalesce(service_name.hint_theme, scheme.hint_theme, title.hint_theme, theme_raw.hint_theme, applicant_name.hint_theme)
            else 'unknown'
        end as theme_concluded,
        case theme_basis
            when 'lookup' then source.theme_raw
            when 'scheme' then scheme.expression
            when 'title' then title.expression
            when 'theme_raw' then theme_raw.expression
            when 'applicant_name' then applicant_name.expression
            when 'programme' then programme.expression
            when 'service' then service_name.expression
            when 'hint' then coalesce(
                service_name.hint_expression, scheme.hint_expression, title.hint_expression, theme_raw.hint_expression,
                applicant_name.hint_expression)
        end as theme_expression
    from source
    join funder_identities as funder_ids
        on source.depositor = funder_ids.depositor
        and source.funder_name = funder_ids.funder_name
        and source.funder_siren is not distinct from funder_ids.funder_siren
    join named_services on source.service_name is not distinct from named_services.service_name
    left join service_names as known
        on funder_ids.funder_id = known.funder_id and named_services.service_slug = known.name_slug
    left join repeated on source.application_id = repeated.application_id
    left join versions on source.deposit_id = versions.deposit_id and source.fiscal_year = versions.fiscal_year
    left join (from linked_lines where is_sure) as twins on source.line_id = twins.line_id
    left join stated_themes on source.theme_raw = stated_themes.theme_raw
    left join given_theme_programmes as programme
        on source.budget_programme = programme.text and source.fiscal_year between programme.first_year and programme.last_year
    left join (from given_theme_texts where field = 'scheme') as scheme on source.scheme = scheme.text
    left join (from given_theme_texts where field = 'title') as title on source.title = title.text
    left join (from given_theme_texts where field = 'theme_raw') as theme_raw on source.theme_raw = theme_raw.text
    left join (from given_theme_texts where field = 'applicant_name') as applicant_name
        on source.applicant_name = applicant_name.text
    left join (from given_theme_texts where field = 'service_name') as service_name on source.service_name = service_name.text
),
final as (
    select
        renamed.* exclude (is_version_counted, version_reason, is_only_line, is_loan_only, authority_siren, seat_commune_code, funder_id, service_key, is_award, stage, depositor, theme_basis, theme_expression, theme_concluded)
            replace (renamed.theme_concluded as theme),
        renamed.theme_basis,
        renamed.theme_expression,
        case
            when is_demonstration and real_deposit.has_arrived then 'demonstration'
            when not is_version_counted then coalesce(version_reason, 'replaced')
            when counted_line_id is not null then 'reported_elsewhere'
        end as not_counted_reason,
        is_version_counted and counted_line_id is null and not (is_demonstration and real_deposit.has_arrived) as is_counted,
        depositor,
        funder_id,
        service_key,
        organisation_keys.organisation_key,
        organisation_keys.organisation_id,
        is_only_line,
        is_award,
        not is_loan_only as is_grant,
        stage,
        case when is_award and not is_loan_only then case stage
            when 'awarded' then amount_awarded
            when 'paid' then amount_paid
            when 'committed' then amount_committed
            when 'proposed' then amount_proposed
            when 'requested' then amount_requested
            when 'clawed_back' then amount_clawed_back
        end end as amount_headline,
        renamed.seat_commune_code as seat_commune_code_stated,
        seat.commune_code as seat_commune_code,
        seat.epci_code as seat_epci_code,
        seat.departement_code as seat_departement_code,
        seat.region_code as seat_region_code,
        seat.territory_rule as seat_territory_rule,
        seat.territory_conflict as seat_territory_conflict,
        action.commune_code as action_commune_code,
        action.epci_code as action_epci_code,
        action.departement_code as action_departement_code,
        action.region_code as action_region_code,
        action.territory_rule as action_territory_rule
    from renamed
    cross join real_deposit
    left join territory_places as seat
        on seat.role = 'seat'
        and renamed.seat_commune_code is not distinct from seat.stated_code
        and renamed.seat_postcode is not distinct from seat.stated_postcode
        and renamed.seat_commune_name is not distinct from seat.stated_name
        and renamed.authority_siren is not distinct from seat.authority_siren
    join organisation_keys
        on organisation_keys.organisation_key = organisation_key(
            applicant_siren, applicant_siret, applicant_rna, applicant_local_id, applicant_name, seat.commune_code,
            applicant_id_raw, case_number, line_id, renamed.funder_id
        )
    left join territory_places as action
        on action.role = 'action'
        and renamed.action_territory_level is not distinct from action.stated_level
        and renamed.action_territory_code is not distinct from action.stated_code
        and renamed.action_territory_name is not distinct from action.stated_name
)
select * from final;
