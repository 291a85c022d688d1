"""What a run changed in the analysts' database: lines and euros of every funder, files that came and went, tables.

Both sides are private: the database about to be replaced, and the one that replaces it. What changes from one
publication to the next is `changes`; here nothing is published.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl

from pipelines.warehouse.connection import quoted, run

if TYPE_CHECKING:
    from pathlib import Path

_OLD = "before"
_TOLD = (
    "amount_awarded", "amount_committed", "amount_headline", "amount_paid", "amount_proposed", "amount_requested",
    "applicant_name", "applicant_siren", "decided_date", "decision_status", "fiscal_year", "organisation_id", "purpose",
    "scheme", "service_key", "theme", "title",
)  # fmt: skip
"""What a line says that makes it another one when it moves. All hundred columns would cost five times as much to read
as these, on millions of lines; where a line is (file, sheet, row) never makes it another one."""
_NEEDED = {"application_id", "funder_id", "funder_name", "currency", "stage", "amount_headline", "is_counted",
           "is_award", "is_grant"}  # fmt: skip
BY_FUNDER = pl.Schema({
    "funder_id": pl.String(), "funder_name": pl.String(), "currency": pl.String(), "stage": pl.String(),
    "n_added": pl.Int64(), "n_removed": pl.Int64(), "n_changed": pl.Int64(), "n_after": pl.Int64(),
    "amount_before": pl.Decimal(38, 2), "amount_after": pl.Decimal(38, 2),
})  # fmt: skip


@dataclass(frozen=True)
class RunChanges:
    """`funders`: rows of `BY_FUNDER` of which a counted line or the total moved, the largest move of euros first.

    `files`: relative path and whether it came or went. `tables`: name, rows before and after (None: no such table).
    `is_first`: there was no former database, or none that can be compared.
    """

    is_first: bool = False
    funders: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=BY_FUNDER))
    files: list[tuple[str, bool]] = field(default_factory=list)
    tables: list[tuple[str, int | None, int | None]] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Nothing moved."""
        return not self.is_first and self.funders.is_empty() and not self.files and not self.tables

    @property
    def totals(self) -> dict[str, int]:
        """Counted lines added, removed and changed, all funders together."""
        return {name: int(self.funders[name].sum()) for name in ("n_added", "n_removed", "n_changed")}

    def as_record(self) -> dict[str, Any]:
        """The same as plain values, for a JSON file: amounts are exact decimal text."""
        rows = self.funders.with_columns(pl.col("amount_before", "amount_after").cast(pl.String()))
        return {
            "is_first": self.is_first, "funders": rows.to_dicts(), "files": [list(row) for row in self.files],
            "tables": [list(row) for row in self.tables],
        }  # fmt: skip


def compare(connection: duckdb.DuckDBPyConnection, former: Path) -> RunChanges:
    """What the current database of `connection`, outside of a transaction, changes of the one at `former`."""
    if not former.is_file():
        return RunChanges(is_first=True)
    try:
        run(connection, f"ATTACH {quoted(former)} AS {_OLD} (READ_ONLY)")
    except duckdb.Error:  # a damaged file is replaced, and cannot be compared
        return RunChanges(is_first=True)
    try:
        before, after = _types(connection, _OLD), _types(connection, "warehouse")
        if not (before.keys() >= _NEEDED <= after.keys()):  # another version's database
            return RunChanges(is_first=True)
        told = [name for name in _TOLD if name in after and before.get(name) == after[name]]
        return RunChanges(funders=_funders(connection, told), files=_files(connection), tables=_tables(connection))
    finally:
        run(connection, f"DETACH {_OLD}")


def _types(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, str]:
    """Column → type of the applications of a database."""
    sql = "SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = $1 AND table_name = 'applications'"
    return {str(name): str(dtype) for name, dtype in run(connection, sql, [database])}


def _funders(connection: duckdb.DuckDBPyConnection, told: list[str]) -> pl.DataFrame:
    """Lines are joined only for the funders whose fingerprint differs: a run usually touches a few of many."""
    columns = ", ".join(f'"{name}"' for name in told)
    amount = "if(is_award and is_grant, amount_headline, null)"
    sides = {
        side: f"""
            SELECT funder_id, max(funder_name) AS funder_name, currency, stage, application_id AS k,
                sum(hash({columns})::HUGEINT) AS h, count(*) AS n, sum({amount}) AS amount
            FROM {place}.applications SEMI JOIN touched USING (funder_id)
            WHERE is_counted GROUP BY funder_id, currency, stage, application_id
        """
        for side, place in (("o", _OLD), ("c", "warehouse"))
    }
    prints = {
        place: f"SELECT funder_id, count(*) AS n, sum(hash(application_id, {columns})::HUGEINT) AS h"
        f" FROM {place}.applications WHERE is_counted GROUP BY funder_id"
        for place in (_OLD, "warehouse")
    }
    found: pl.DataFrame = connection.sql(f"""
        WITH touched AS (
            SELECT coalesce(o.funder_id, c.funder_id) AS funder_id
            FROM ({prints[_OLD]}) AS o FULL JOIN ({prints["warehouse"]}) AS c ON o.funder_id = c.funder_id
            WHERE o.n IS DISTINCT FROM c.n OR o.h IS DISTINCT FROM c.h
        )
        SELECT
            coalesce(c.funder_id, o.funder_id) AS funder_id,
            max(coalesce(c.funder_name, o.funder_name)) AS funder_name,
            coalesce(c.currency, o.currency) AS currency, coalesce(c.stage, o.stage) AS stage,
            coalesce(sum(greatest(coalesce(c.n, 0) - coalesce(o.n, 0), 0)), 0)::BIGINT AS n_added,
            coalesce(sum(greatest(coalesce(o.n, 0) - coalesce(c.n, 0), 0)), 0)::BIGINT AS n_removed,
            coalesce(sum(least(o.n, c.n)) FILTER (o.h <> c.h AND o.n = c.n), 0)::BIGINT AS n_changed,
            coalesce(sum(c.n), 0)::BIGINT AS n_after,
            coalesce(sum(o.amount), 0)::DECIMAL(38, 2) AS amount_before,
            coalesce(sum(c.amount), 0)::DECIMAL(38, 2) AS amount_after
        FROM ({sides["o"]}) AS o
        FULL JOIN ({sides["c"]}) AS c
            ON o.funder_id = c.funder_id AND o.k = c.k
            AND o.currency IS NOT DISTINCT FROM c.currency AND o.stage IS NOT DISTINCT FROM c.stage
        GROUP BY 1, 3, 4
        HAVING n_added + n_removed + n_changed > 0 OR amount_before <> amount_after
        ORDER BY abs(amount_after - amount_before) DESC, n_added + n_removed + n_changed DESC, 1, 3, 4
    """).pl()
    return found


def _files(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, bool]]:
    current = "SELECT deposit_id, relative_path FROM {}.deposits WHERE is_current"
    rows = run(
        connection,
        f"SELECT coalesce(c.relative_path, o.relative_path), o.deposit_id IS NULL"
        f" FROM ({current.format(_OLD)}) AS o FULL JOIN ({current.format('warehouse')}) AS c"
        " ON o.deposit_id = c.deposit_id WHERE o.deposit_id IS NULL OR c.deposit_id IS NULL ORDER BY ALL",
    )
    return [(str(path), bool(came)) for path, came in rows]


def _tables(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, int | None, int | None]]:
    counts = {place: _counts(connection, place) for place in (_OLD, "warehouse")}
    names = sorted(counts[_OLD].keys() | counts["warehouse"].keys())
    found = [(name, counts[_OLD].get(name), counts["warehouse"].get(name)) for name in names]
    return [row for row in found if row[1] != row[2]]


def _counts(connection: duckdb.DuckDBPyConnection, place: str) -> dict[str, int]:
    names = run(connection, "SELECT table_name FROM duckdb_tables() WHERE database_name = $1", [place])
    return {str(name): int(run(connection, f'SELECT count(*) FROM {place}."{name}"')[0][0]) for (name,) in names}
