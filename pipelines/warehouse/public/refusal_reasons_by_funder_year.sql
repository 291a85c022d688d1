-- Motifs de refus et d'irrecevabilité communiqués, quand leur nombre peut être publié. Un financeur n'est pas tenu, sauf exception, de motiver un refus.

with source as (
    select * from funding.refusal_reasons_by_funder_year
),
told as (
    select funder_id, fiscal_year, 'examined' as stage from refusal_rates_by_funder_year where n_refused is not null
    union all
    select funder_id, fiscal_year, 'inadmissible' as stage from refusal_rates_by_funder_year where n_inadmissible is not null
),
final as (
    select source.*, getvariable('as_of')::date as figures_date, false as is_former
    from source
    semi join told using (funder_id, fiscal_year, stage)
    semi join shown_reasons using (funder_id, fiscal_year, stage, refusal_reason)
)
select * from final order by funder_id, fiscal_year, stage, refusal_reason;
