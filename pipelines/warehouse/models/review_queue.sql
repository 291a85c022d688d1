-- À décider : ce qui attend quelqu'un (dépôts retenus, rapprochements, mêmes aides, versions, statuts, décisions sans effet), où répondre et quoi écrire. Les montants les plus élevés d'abord.

with staged as (
    select
        deposit_id,
        count(*) as n_lines,
        sum(coalesce(amount_awarded, amount_committed, amount_paid)) filter (currency = 'EUR') as amount
    from staged_applications
    group by deposit_id
),
by_year as (
    select
        deposit_id, fiscal_year, count(*) as n_lines,
        sum(coalesce(amount_awarded, amount_committed, amount_paid)) filter (currency = 'EUR') as amount
    from applications
    group by all
),
by_organisation as (
    select
        organisation_id, count(*) as n_lines,
        coalesce(sum(amount_headline) filter (is_award and is_grant and currency = 'EUR'), 0) as amount
    from applications
    where is_counted
    group by organisation_id
),
holds as (
    select
        'hold' as kind,
        deposits.relative_path as place,
        'Laisser passer ce dépôt, pour ' || deposits.awaits || ' ?' as question,
        'qfq release, formulaire de lancement de staging (deposits), ou fichier vide à déposer à côté' as answer_in,
        deposits.deposit_id || '  ou  CONFIRMER-' || left(deposits.sha256, 8) || '.txt' as answer,
        staged.amount, staged.n_lines, deposits.deposit_id
    from deposits
    left join staged using (deposit_id)
    where deposits.awaits is not null
),
questions as (
    select
        'question', deposits.relative_path, coalesce(deposits.message, 'Le récapitulatif dit ce qui n''est pas compris.'),
        'classeur QUESTIONS du récapitulatif, raw/' || deposits.depositor || '/funder.toml, ou un format de schemas/formats/',
        'voir ' || coalesce('raw/' || deposits.receipt, 'le récapitulatif'),
        staged.amount, staged.n_lines, deposits.deposit_id
    from deposits
    left join staged using (deposit_id)
    where deposits.status = 'held' and deposits.awaits is null
),
links as (  -- what one decision would move: the smaller of the two organisations
    select
        'link',
        coalesce(reviews.left_name, reviews.left_key) || '  /  ' || coalesce(reviews.right_name, reviews.right_key),
        'Est-ce le même organisme ? ' || coalesce(reasons.description, ''),
        'schemas/organisation_decisions.csv',
        '"' || replace(reviews.left_key, '"', '""') || '","' || replace(reviews.right_key, '"', '""') || '",same ou different,auteur,motif,' || getvariable('as_of')::date,
        least(lefts.amount, rights.amount), least(lefts.n_lines, rights.n_lines), null
    from organisation_link_reviews as reviews
    left join codelist_link_review_reason as reasons on reviews.reason = reasons.code
    left join by_organisation as lefts on reviews.left_id = lefts.organisation_id
    left join by_organisation as rights on reviews.right_id = rights.organisation_id
),
lines as (
    select
        'line',
        file_name || ', ligne ' || source_row || '  /  ' || other_file_name || ', ligne ' || other_source_row,
        'Est-ce la même aide, dite par deux déposants ? ' || coalesce(applicant_name, '') || ', ' || fiscal_year,
        'schemas/line_decisions.csv',
        '"' || replace(line_key, '"', '""') || '","' || replace(other_line_key, '"', '""') || '",same ou different,auteur,motif,' || getvariable('as_of')::date,
        least(amount, other_amount), 1, null
    from linked_lines_to_review
),
restatements as (
    select
        'version',
        mine.relative_path || '  /  ' || other.relative_path,
        'Deux versions de ' || versions.fiscal_year || ' diffèrent : la plus récente est comptée. Est-ce la bonne ?',
        'raw/' || mine.depositor || '/funder.toml',
        '[[wins]]  years = [' || versions.fiscal_year || ']  file = "' || other.file_name || '"',
        by_year.amount, by_year.n_lines, versions.deposit_id
    from versions
    join deposits as mine on versions.deposit_id = mine.deposit_id
    join deposits as other on versions.other_deposit_id = other.deposit_id
    left join by_year on versions.deposit_id = by_year.deposit_id and versions.fiscal_year = by_year.fiscal_year
    where versions.reason = 'restated' and not versions.is_counted and versions.decided_by = 'rule'
),
statuses as (
    select
        'status',
        deposits.relative_path,
        'Que veut dire « ' || applications.decision_status_raw || ' » ?',
        'schemas/formats/' || coalesce(deposits.format_id, '<format>') || '.toml',
        'le mot et son statut, dans la table des valeurs de decision_status',
        sum(coalesce(amount_awarded, amount_committed, amount_paid, amount_requested)) filter (currency = 'EUR'),
        count(*), applications.deposit_id
    from applications
    join deposits using (deposit_id)
    where applications.decision_status = 'unknown' and applications.decision_status_raw is not null
    group by deposits.relative_path, deposits.format_id, applications.decision_status_raw, applications.deposit_id
),
idle as (
    select
        'idle', 'schemas/organisation_decisions.csv, ligne ' || line, 'Cette décision n''est pas suivie : ' || problem,
        'schemas/organisation_decisions.csv', 'corriger ou retirer la ligne ' || line, null, 0, null
    from organisation_decisions
    where not is_applied
    union all
    select
        'idle', 'schemas/line_decisions.csv, ligne ' || line, 'Cette décision n''est pas suivie : ' || problem,
        'schemas/line_decisions.csv', 'corriger ou retirer la ligne ' || line, null, 0, null
    from line_decisions
    where not is_applied
),
final as (
    from holds
    union all from questions
    union all from links
    union all from lines
    union all from restatements
    union all from statuses
    union all from idle
)
select
    kind, place, question, answer_in, answer, amount::decimal(38, 2) as amount, n_lines::bigint as n_lines, deposit_id
from final
order by amount desc nulls last, kind, place, question, answer;
