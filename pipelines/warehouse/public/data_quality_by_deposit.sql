-- Fichiers déposés : ce qui a été reçu, lu, écarté. Les nombres de lignes lues et acceptées manquent quand ils laisseraient deviner un petit nombre de refus. Montant : personnes morales seulement.

with source as (
    select * from funding.deposits where is_current
),
awarded as (
    select
        deposit_id,
        min(fiscal_year) as first_year,
        max(fiscal_year) as last_year,
        count(*)::integer as n_award_lines,
        count(*) filter (not_counted_reason = 'reported_elsewhere')::integer as n_awards_elsewhere,
        if(count(distinct row(currency, stage)) = 1, sum(if(kind = 'legal', amount_headline, null)), null) as amount,
        if(count(distinct row(currency, stage)) = 1, min(stage), null) as stage,
        if(count(distinct row(currency, stage)) = 1, min(currency), null) as currency
    from funding.applications
    left join funding.organisations using (organisation_id)
    where is_award and is_grant
    group by deposit_id
),
final as (
    select
        public_deposits.public_id as deposit_id,
        source.depositor,
        source.file_name,
        source.received_at::date as received_at,
        source.source_updated_at,
        source.format_id,
        source.recognised_by,
        source.status,
        source.is_current,
        source.is_demonstration,
        if(public_deposits.is_countable, source.rows_read, null) as rows_read,
        if(public_deposits.is_countable, source.rows_accepted, null) as rows_accepted,
        source.rows_rejected,
        source.rows_ignored,
        if(public_deposits.is_countable, 'shown', 'suppressed') as rows_status,
        if(public_deposits.is_awards_only, source.issues_error::integer, rounded(source.issues_error)) as issues_error,
        if(public_deposits.is_awards_only, source.issues_warning::integer, rounded(source.issues_warning)) as issues_warning,
        if(public_deposits.is_awards_only, source.issues_info::integer, rounded(source.issues_info)) as issues_info,
        if(public_deposits.is_awards_only, source.message, null) as message,
        awarded.first_year,
        awarded.last_year,
        coalesce(awarded.n_award_lines, 0) as n_award_lines,
        coalesce(awarded.n_awards_elsewhere, 0) as n_awards_elsewhere,
        awarded.amount,
        awarded.stage,
        awarded.currency
    from source
    join public_deposits using (deposit_id)
    left join awarded using (deposit_id)
)
select * from final order by depositor, file_name, deposit_id;
