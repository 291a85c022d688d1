"""Former figures kept in the public tables, with their date, where new ones would tell too much by difference.

Works on the tables just computed (current database), before anything is swapped in. Which counts may be new is decided
before, in `publications`; here are what follows for whole rows, requested amounts and numbers of lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.warehouse.connection import run

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb
    import polars as pl

    from pipelines.warehouse.publications import Archive

RATES: Mapping[str, tuple[str, ...]] = {
    "refusal_rates_by_funder_year": ("funder_id", "fiscal_year"),
    "refusal_rates_by_service_year": ("funder_id", "service_key", "fiscal_year"),
    "refusal_rates_by_service_territory_year": ("funder_id", "service_key", "departement_code", "fiscal_year"),
    "refusal_rates_by_scheme_year": ("funder_id", "scheme", "fiscal_year"),
    "stated_success_rates": (
        "funder_id", "fiscal_year", "is_whole", "service_name", "scheme", "call_id", "territory_level",
        "territory_name",
    ),
}  # fmt: skip
"""Tables whose rows are kept whole, and what tells their rows apart. A row that hides its figures is `suppressed`."""
REASONS = "refusal_reasons_by_funder_year"
LINES = "data_quality_by_deposit"
_REASON_KEYS = ("funder_id", "fiscal_year", "stage", "refusal_reason")
_AMOUNTS = ("amount_requested", "n_requested_known", "satisfaction_rate_amount")
_WITH_AMOUNTS = ("refusal_rates_by_funder_year", "refusal_rates_by_service_year")
_LINE_COLUMNS = ("deposit_id", "rows_read", "rows_accepted", "n_award_lines")


def hold(connection: duckdb.DuckDBPyConnection, archive: Archive, *, min_count: int) -> None:
    """Hide amounts and numbers of lines that moved too little, then put former rows back where figures are hidden."""
    _hold_amounts(connection, archive, min_count)
    _hold_lines(connection, archive, min_count)
    for table, keys in RATES.items():
        former = _last(archive.read(f"rows_{table}"), keys)
        is_hidden = "current.status = 'suppressed'"
        _put_back(connection, table, keys, former, is_hidden)
    _put_back_reasons(connection, _last(archive.read(f"rows_{REASONS}"), _REASON_KEYS))


def new_rows(connection: duckdb.DuckDBPyConnection, archive: Archive) -> dict[str, pl.DataFrame]:
    """The rows to archive, by file: those with new figures that differ from the last ones archived."""
    found = {}
    for table, keys in (*RATES.items(), (REASONS, _REASON_KEYS)):
        rows: pl.DataFrame = connection.sql(f"FROM {table} WHERE figures_date IS NOT NULL AND NOT is_former").pl()
        found[f"rows_{table}"] = _changed(rows, archive.read(f"rows_{table}"), keys)
    lines: pl.DataFrame = connection.sql(
        f"SELECT {', '.join(_LINE_COLUMNS)} FROM {LINES} WHERE rows_accepted IS NOT NULL"
    ).pl()
    found[f"rows_{LINES}"] = _changed(lines, archive.read(f"rows_{LINES}"), ("deposit_id",))
    return {name: rows for name, rows in found.items() if rows.height}


def _last(past: pl.DataFrame, keys: tuple[str, ...]) -> pl.DataFrame:
    if past.width == 1:
        return past.clear()
    return past.group_by(keys, maintain_order=True).last().drop("publication")


def _changed(rows: pl.DataFrame, past: pl.DataFrame, keys: tuple[str, ...]) -> pl.DataFrame:
    last = _last(past, keys)
    same = [name for name in rows.columns if name != "figures_date"]
    if last.is_empty() or not set(same) <= set(last.columns):
        return rows
    return rows.join(last.select(same).cast(rows.select(same).schema), on=same, how="anti", nulls_equal=True)


def _put_back(
    connection: duckdb.DuckDBPyConnection, table: str, keys: tuple[str, ...], former: pl.DataFrame, is_hidden: str
) -> None:
    if former.is_empty():
        return
    connection.register("former_rows", former)
    same = " AND ".join(f"former_rows.{key} IS NOT DISTINCT FROM current.{key}" for key in keys)
    columns = [name for (name,) in run(connection, f"SELECT column_name FROM (DESCRIBE {table})")]
    taken = ", ".join(
        "true AS is_former"
        if name == "is_former"
        else f"former_rows.{name}"
        if name in former.columns
        else f"current.{name}"
        for name in columns
    )
    run(
        connection,
        f"CREATE OR REPLACE TEMP TABLE held_rows AS SELECT {taken} FROM {table} AS current "
        f"JOIN former_rows ON {same} WHERE {is_hidden}",
    )
    run(
        connection,
        f"DELETE FROM {table} AS current WHERE {is_hidden} AND EXISTS (FROM held_rows AS former_rows WHERE {same})",
    )
    run(connection, f"INSERT INTO {table} BY NAME FROM held_rows")
    run(connection, "DROP TABLE held_rows")
    run(connection, f"CREATE OR REPLACE TABLE {table} AS FROM {table} ORDER BY {', '.join(keys)}")
    connection.unregister("former_rows")


def _put_back_reasons(connection: duckdb.DuckDBPyConnection, former: pl.DataFrame) -> None:
    """All the former reasons of a funder, year and stage that has none now, while the funder publishes its refusals."""
    if former.is_empty():
        return
    connection.register("former_rows", former)
    run(
        connection,
        f"INSERT INTO {REASONS} BY NAME SELECT * REPLACE (true AS is_former) FROM former_rows "
        "SEMI JOIN (FROM refusal_rates_by_funder_year WHERE status <> 'not_published') USING (funder_id, fiscal_year) "
        f"ANTI JOIN (FROM {REASONS}) USING (funder_id, fiscal_year, stage)",
    )
    run(connection, f"CREATE OR REPLACE TABLE {REASONS} AS FROM {REASONS} ORDER BY {', '.join(_REASON_KEYS)}")
    connection.unregister("former_rows")


def _hold_amounts(connection: duckdb.DuckDBPyConnection, archive: Archive, min_count: int) -> None:
    """Requested amounts of a funder and year are hidden together when one of them changed for too few refusals."""
    for table in _WITH_AMOUNTS:
        past = archive.read(f"rows_{table}")
        if past.is_empty():
            continue
        keys = RATES[table]
        connection.register("former_rows", past)
        same = " AND ".join(f"former_rows.{key} = current.{key}" for key in keys)
        run(
            connection,
            f"CREATE OR REPLACE TEMP TABLE held_amounts AS SELECT DISTINCT current.funder_id, current.fiscal_year "
            f"FROM {table} AS current JOIN former_rows ON {same} "
            "WHERE (current.amount_requested, current.n_requested_known) IS DISTINCT FROM "
            "(former_rows.amount_requested, former_rows.n_requested_known) "
            "AND current.amount_requested IS NOT NULL AND former_rows.amount_requested IS NOT NULL "
            f"AND abs(current.n_refused - former_rows.n_refused) < {min_count}",
        )
        for other in _WITH_AMOUNTS:
            blank = ", ".join(f"{name} = NULL" for name in _AMOUNTS)
            run(
                connection,
                f"UPDATE {other} SET {blank} WHERE (funder_id, fiscal_year) IN "
                "(SELECT (funder_id, fiscal_year) FROM held_amounts)",
            )
        run(connection, "DROP TABLE held_amounts")
        connection.unregister("former_rows")


def _hold_lines(connection: duckdb.DuckDBPyConnection, archive: Archive, min_count: int) -> None:
    """Numbers of lines of a file that would differ from former ones by too few lines that are no award."""
    past = archive.read(f"rows_{LINES}")
    if past.is_empty():
        return
    connection.register("former_rows", past)
    run(
        connection,
        f"CREATE OR REPLACE TEMP TABLE held_lines AS SELECT DISTINCT deposit_id FROM {LINES} AS current "
        "JOIN former_rows USING (deposit_id) WHERE abs((current.rows_accepted - current.n_award_lines) "
        f"- (former_rows.rows_accepted - former_rows.n_award_lines)) BETWEEN 1 AND {min_count - 1}",
    )
    among = "WHERE deposit_id IN (FROM held_lines)"
    run(connection, f"UPDATE {LINES} SET rows_read = NULL, rows_accepted = NULL, rows_status = 'suppressed' {among}")
    run(connection, f"UPDATE data_quality_versions SET lines = NULL, lines_matched = NULL, shared = NULL {among}")
    run(connection, "DROP TABLE held_lines")
    connection.unregister("former_rows")
