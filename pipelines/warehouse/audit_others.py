"""What the audit looks at besides the counts of refusal tables: reasons, requested amounts, lines of files, applicants.

Each check is one query on the public tables (current database), set against `funding` where an attacker's knowledge is
meant; it selects what is given away, in the columns of `audit.FINDING`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from pipelines.warehouse.connection import run

if TYPE_CHECKING:
    import duckdb

    from schemas.publication import Disclosure

_REASONS = """
    WITH roots AS (
        SELECT funder_id, fiscal_year, 'examined' AS stage, n_refused AS n, is_former FROM refusal_rates_by_funder_year
        UNION ALL
        SELECT funder_id, fiscal_year, 'inadmissible' AS stage, n_inadmissible AS n, is_former
        FROM refusal_rates_by_funder_year
    ),
    told AS (
        SELECT funder_id, fiscal_year, stage, sum(n) AS n_told, min(n) AS least
        FROM refusal_reasons_by_funder_year WHERE NOT is_former GROUP BY ALL
    )
    SELECT
        'refusal_reasons_by_funder_year' AS "table",
        concat_ws(' · ', told.funder_id, told.fiscal_year, told.stage) AS cell,
        'reasons' AS measure, if(least < $min_count, least, roots.n - n_told) AS low,
        if(least < $min_count, least, roots.n - n_told) AS high,
        'refusal_reasons_by_funder_year n, refusal_rates_by_funder_year' AS given_by
    FROM told LEFT JOIN roots ON told.funder_id = roots.funder_id AND told.fiscal_year = roots.fiscal_year
        AND told.stage = roots.stage AND NOT roots.is_former
    WHERE least < $min_count OR roots.n IS NULL OR roots.n - n_told BETWEEN 1 AND $min_count - 1 OR roots.n < n_told
"""
_AMOUNTS = """
    WITH services AS (  -- the attacker knows which services were asked for money
        SELECT funder_id, fiscal_year, service_key
        FROM funding.decision_counts GROUP BY ALL HAVING sum(n_requested_known) > 0
    ),
    shown AS (
        SELECT funder_id, fiscal_year, service_key, amount_requested
        FROM refusal_rates_by_service_year WHERE amount_requested IS NOT NULL AND NOT is_former
    ),
    hidden AS (
        SELECT
            services.funder_id, services.fiscal_year, count(*) AS n_services,
            count(*) FILTER (shown.service_key IS NULL) AS n_hidden,
            min(services.service_key) FILTER (shown.service_key IS NULL) AS service_key,
            sum(shown.amount_requested) AS told
        FROM services LEFT JOIN shown USING (funder_id, fiscal_year, service_key)
        GROUP BY ALL
    ),
    rates AS (
        SELECT 'refusal_rates_by_funder_year' AS "table", concat_ws(' · ', funder_id, fiscal_year) AS cell,
            n_decided, n_requested_known, amount_requested, satisfaction_rate_amount, amount_awarded, is_former
        FROM refusal_rates_by_funder_year
        UNION ALL
        SELECT 'refusal_rates_by_service_year' AS "table",
            concat_ws(' · ', funder_id, fiscal_year, service_key) AS cell,
            n_decided, n_requested_known, amount_requested, satisfaction_rate_amount, amount_awarded, is_former
        FROM refusal_rates_by_service_year
    )
    SELECT
        'refusal_rates_by_service_year' AS "table",
        concat_ws(' · ', hidden.funder_id, hidden.fiscal_year, hidden.service_key) AS cell,
        'amount_requested' AS measure,
        amount_requested - coalesce(told, 0) AS low, amount_requested - coalesce(told, 0) AS high,
        'refusal_rates_by_funder_year amount_requested, refusal_rates_by_service_year amount_requested' AS given_by
    FROM hidden JOIN refusal_rates_by_funder_year AS whole USING (funder_id, fiscal_year)
    WHERE whole.amount_requested IS NOT NULL AND NOT whole.is_former AND n_hidden = 1 AND n_services > 1
    UNION ALL
    SELECT "table", cell, 'amount_requested' AS measure, amount_awarded / satisfaction_rate_amount AS low,
        amount_awarded / satisfaction_rate_amount AS high, 'satisfaction_rate_amount' AS given_by
    FROM rates WHERE amount_requested IS NULL AND satisfaction_rate_amount > 0 AND NOT is_former
    UNION ALL
    SELECT "table", cell, 'n_requested_known' AS measure, n_requested_known AS low, NULL AS high,
        'n_requested_known' AS given_by
    FROM rates WHERE n_decided IS NULL AND n_requested_known IS NOT NULL AND NOT is_former
"""
_LINES = """
    WITH others AS (
        SELECT public_deposits.public_id AS deposit_id, count(*) FILTER (NOT lines.is_award) AS n_others
        FROM funding.applications AS lines JOIN public_deposits USING (deposit_id) GROUP BY ALL
    )
    SELECT
        'data_quality_by_deposit' AS "table", concat_ws(' · ', depositor, file_name) AS cell, 'lines' AS measure,
        n_others AS low, n_others AS high, 'rows_accepted, n_award_lines' AS given_by
    FROM data_quality_by_deposit JOIN others USING (deposit_id)
    WHERE (rows_accepted IS NOT NULL OR rows_read IS NOT NULL) AND n_others BETWEEN 1 AND $min_count - 1
"""
_APPLICANTS = """
    WITH applicants AS (
        SELECT organisation_id, applicant_siren, is_award, funder_id, funder_siren
        FROM funding.applications GROUP BY ALL
    ),
    unsuccessful AS MATERIALIZED (
        SELECT unnest([organisation_id, applicant_siren]) AS named FROM applicants WHERE NOT is_award
        EXCEPT SELECT unnest([organisation_id, applicant_siren]) FROM applicants WHERE is_award
        EXCEPT SELECT unnest([funder_id, funder_siren]) FROM applicants
    )
"""
_NAMED = """
    SELECT '{table}' AS "table", count(*) || ' demandeurs' AS cell, 'applicants' AS measure,
        NULL AS low, NULL AS high, '{column}' AS given_by
    FROM (SELECT DISTINCT {column}::TEXT AS named FROM {table} INTERSECT FROM unsuccessful)
    WHERE named IS NOT NULL
    HAVING count(*) > 0
"""
_NAMING = ("organisation_id", "siren", "applicant_siren")


def findings(connection: duckdb.DuckDBPyConnection, limits: Disclosure) -> pl.DataFrame:
    """What is given away besides counts of refusal tables."""
    named = {
        (table, column)
        for table, column in run(
            connection,
            "SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = 'warehouse' ORDER BY ALL",
        )
        if column in _NAMING
    }
    told = " UNION ALL ".join(_NAMED.format(table=table, column=column) for table, column in sorted(named))
    queries = [_REASONS, _AMOUNTS, _LINES, _APPLICANTS + told]
    found = [
        connection.sql(sql.replace("$min_count", str(limits.min_count)))
        .pl()
        .with_columns(
            pl.col("low", "high").cast(pl.Float64), pl.col("table", "cell", "measure", "given_by").cast(pl.String)
        )
        for sql in queries
    ]
    every: pl.DataFrame = pl.concat(found)
    return every
