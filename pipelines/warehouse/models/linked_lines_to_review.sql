-- Liste à vérifier : lignes de deux déposants qui se ressemblent sans qu'aucune règle sûre permette de conclure. Les deux sont comptées ; la décision s'écrit dans line_decisions.csv.

with source as (
    select * from linked_lines where not is_sure
),
lines as not materialized (
    select
        line_id, depositor, deposit_id, source_sheet, source_row, funder_name, applicant_siren, applicant_name, title,
        case_number, decision_status, amount_requested, amount_awarded, amount_committed, amount_paid
    from applications
),
final as (
    select
        source.link_rule,
        source.likeness,
        source.fiscal_year,
        source.stage,
        mine.funder_name,
        mine.depositor,
        mine_file.file_name,
        mine.source_sheet,
        mine.source_row,
        mine.applicant_siren,
        mine.applicant_name,
        mine.title,
        mine.case_number,
        mine.decision_status,
        mine.amount_requested,
        coalesce(mine.amount_awarded, mine.amount_committed, mine.amount_paid) as amount,
        other.depositor as other_depositor,
        other_file.file_name as other_file_name,
        other.source_sheet as other_source_sheet,
        other.source_row as other_source_row,
        other.applicant_name as other_applicant_name,
        other.title as other_title,
        other.case_number as other_case_number,
        other.decision_status as other_decision_status,
        other.amount_requested as other_amount_requested,
        coalesce(other.amount_awarded, other.amount_committed, other.amount_paid) as other_amount,
        source.line_id,
        source.other_line_id,
        source.line_key,
        source.other_line_key
    from source
    join lines as mine on source.line_id = mine.line_id
    join lines as other on source.other_line_id = other.line_id
    join deposits as mine_file on mine.deposit_id = mine_file.deposit_id
    join deposits as other_file on other.deposit_id = other_file.deposit_id
)
select * from final order by amount desc nulls last, line_id, other_line_id;
