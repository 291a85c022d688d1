"""What changed since the last publication: rows of every public table, awards and euros of every funder.

Both sides are public databases, so nothing is told that a reader who kept the former files could not count. The former
one is the database about to be replaced, or the copy of it that the archive keeps (`LAST`) when it is gone. A database
that tells nothing new carries the history over as it is: publishing twice changes nothing.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from pipelines.warehouse import comments
from pipelines.warehouse.connection import damage, quoted, run

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    import duckdb

LAST = "last.duckdb"
"""The last public database, in the folder of the archive."""
BY_TABLE, BY_FUNDER = "changes_by_table", "changes_by_funder"
DESCRIPTIONS = {
    BY_TABLE: "Ce qui a changé d'une publication à l'autre : lignes ajoutées, retirées et modifiées de chaque table.",
    BY_FUNDER: (
        "Ce qui a changé d'une publication à l'autre, par financeur : attributions ajoutées, retirées et modifiées, "
        "et montants."
    ),
}
_CREATED = {
    BY_TABLE: (
        "publication INTEGER, as_of DATE, former_as_of DATE, table_name VARCHAR, n_rows_before BIGINT,"
        " n_rows_after BIGINT, n_added BIGINT, n_removed BIGINT, n_changed BIGINT"
    ),
    BY_FUNDER: (
        "publication INTEGER, as_of DATE, former_as_of DATE, funder_id VARCHAR, funder_name VARCHAR, currency VARCHAR,"
        " stage VARCHAR, n_added BIGINT, n_removed BIGINT, n_changed BIGINT, amount_added DECIMAL(38,2),"
        " amount_removed DECIMAL(38,2), amount_changed DECIMAL(38,2), amount_before DECIMAL(38,2),"
        " amount_after DECIMAL(38,2)"
    ),
}
_UNTOLD = {"publication", *_CREATED}
"""Tables that are not compared: the date of reference, and the changes themselves."""
_PROVENANCE = {"source_name", "source_url", "source_updated_at", "received_at"}
"""Columns that a newer version of a file moves on every line of it: they make no line another one."""
_OLD = "former"


def create(connection: duckdb.DuckDBPyConnection) -> None:
    """The two tables of changes, empty, in the current database."""
    for name, columns in _CREATED.items():
        run(connection, f"CREATE OR REPLACE TABLE {name} ({columns})")


def record(connection: duckdb.DuckDBPyConnection, formers: Iterable[Path]) -> None:
    """Fill the tables of changes, when the others of the current database are whole, outside of a transaction.

    `formers`: where the last publication may be, the best place first; none of them need exist or be readable.
    """
    if not any(_attached(connection, path) for path in formers):
        return
    try:
        _compare(connection)
    finally:
        run(connection, f"DETACH {_OLD}")


def keep(target: Path, folder: Path) -> None:
    """Keep a copy of the database just published, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / f".{LAST}"
    shutil.copyfile(target, aside)
    aside.replace(folder / LAST)


def _attached(connection: duckdb.DuckDBPyConnection, path: Path) -> bool:
    if not path.is_file() or damage(path) is not None:  # a damaged file has no memory
        return False
    run(connection, f"ATTACH {quoted(path)} AS {_OLD} (READ_ONLY)")
    if "as_of" in _columns(connection, _OLD).get("publication", {}):
        return True
    run(connection, f"DETACH {_OLD}")
    return False


def _columns(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, dict[str, str]]:
    """Table → column → type of a database."""
    found: dict[str, dict[str, str]] = {}
    for table, column, dtype in run(
        connection,
        "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE database_name = $1"
        " ORDER BY table_name, column_index",
        [database],
    ):
        found.setdefault(table, {})[column] = dtype
    return found


def _compare(connection: duckdb.DuckDBPyConnection) -> None:
    before, after = _columns(connection, _OLD), _columns(connection, "warehouse")
    for name in _CREATED:
        if name in before:
            run(connection, f"INSERT INTO {name} BY NAME FROM {_OLD}.{name}")
    [(number,)] = run(connection, f"SELECT coalesce(max(publication), 1) + 1 FROM {BY_TABLE}")
    dates = f"{number} AS publication, (SELECT as_of FROM publication) AS as_of, (SELECT as_of FROM {_OLD}.publication)"
    for table in sorted({*before, *after} - _UNTOLD):
        sql = _rows_changed(table, before.get(table, {}), after.get(table, {}))
        run(connection, f"INSERT INTO {BY_TABLE} SELECT {dates}, {quoted(table)}, * FROM ({sql})")
    run(connection, f"DELETE FROM {BY_TABLE} WHERE publication = {number} AND n_added + n_removed + n_changed = 0")
    needed = {"awards", "funding_by_funder_year"}
    if run(connection, f"FROM {BY_TABLE} WHERE publication = {number} LIMIT 1") and needed <= before.keys():
        sql = _funders_changed(before["awards"], after["awards"])
        run(connection, f"INSERT INTO {BY_FUNDER} SELECT {dates}, * FROM ({sql}) ORDER BY funder_id, currency, stage")


def _rows_changed(table: str, before: dict[str, str], after: dict[str, str]) -> str:
    """n_rows_before, n_rows_after, n_added, n_removed, n_changed of one table, on the columns that both have."""
    if not before:
        return f'SELECT NULL, count(*), count(*), 0, 0 FROM "{table}"'
    if not after:
        return f'SELECT count(*), NULL, 0, count(*), 0 FROM {_OLD}."{table}"'
    told = _told(before, after)
    key = [name for name in comments.key_of(table) if name in told] or told
    sides = {
        side: f"SELECT {_hashed(key)} AS k, sum({_hashed(told)}::HUGEINT) AS h, count(*) AS n"
        f' FROM {place}."{table}" GROUP BY 1'
        for side, place in (("o", _OLD), ("c", "warehouse"))
    }
    return f"""
        SELECT
            coalesce(sum(o.n), 0), coalesce(sum(c.n), 0),
            coalesce(sum(greatest(coalesce(c.n, 0) - coalesce(o.n, 0), 0)), 0),
            coalesce(sum(greatest(coalesce(o.n, 0) - coalesce(c.n, 0), 0)), 0),
            coalesce(sum(least(o.n, c.n)) FILTER (o.h <> c.h AND o.n = c.n), 0)
        FROM ({sides["o"]}) AS o
        FULL JOIN ({sides["c"]}) AS c ON o.k = c.k
    """


def _funders_changed(before: dict[str, str], after: dict[str, str]) -> str:
    """One row per funder, currency and stage of which an award or a total moved."""
    told = _told(before, after)
    key = ["funder_id", *comments.key_of("awards")]
    side = f"SELECT funder_id, currency, stage, amount, {_hashed(key)} AS k, {_hashed(told)} AS h FROM"
    total = "SELECT funder_id, currency, stage, sum(amount) AS amount FROM"
    return f"""
        WITH awards_moved AS (
            SELECT
                coalesce(c.funder_id, o.funder_id) AS funder_id, coalesce(c.currency, o.currency) AS currency,
                coalesce(c.stage, o.stage) AS stage,
                count(*) FILTER (o.k IS NULL) AS n_added,
                count(*) FILTER (c.k IS NULL) AS n_removed,
                count(*) FILTER (c.h <> o.h) AS n_changed,
                coalesce(sum(c.amount) FILTER (o.k IS NULL), 0) AS amount_added,
                coalesce(sum(o.amount) FILTER (c.k IS NULL), 0) AS amount_removed,
                coalesce(sum(coalesce(c.amount, 0) - coalesce(o.amount, 0)) FILTER (c.h <> o.h), 0) AS amount_changed
            FROM ({side} warehouse.awards) AS c
            FULL JOIN ({side} {_OLD}.awards) AS o ON c.k = o.k
            GROUP BY ALL
        ),
        totals AS (
            SELECT
                coalesce(c.funder_id, o.funder_id) AS funder_id, coalesce(c.currency, o.currency) AS currency,
                coalesce(c.stage, o.stage) AS stage, o.amount AS amount_before, c.amount AS amount_after
            FROM ({total} warehouse.funding_by_funder_year GROUP BY ALL) AS c
            FULL JOIN ({total} {_OLD}.funding_by_funder_year GROUP BY ALL) AS o
                ON c.funder_id = o.funder_id AND c.currency = o.currency AND c.stage = o.stage
        )
        SELECT
            funder_id, coalesce(c.name, o.name, funder_id), currency, stage,
            coalesce(n_added, 0), coalesce(n_removed, 0), coalesce(n_changed, 0),
            coalesce(amount_added, 0), coalesce(amount_removed, 0), coalesce(amount_changed, 0),
            amount_before, amount_after
        FROM totals
        FULL JOIN awards_moved USING (funder_id, currency, stage)
        LEFT JOIN warehouse.funders AS c USING (funder_id)
        LEFT JOIN {_OLD}.funders AS o USING (funder_id)
        WHERE coalesce(n_added + n_removed + n_changed, 0) > 0 OR amount_before IS DISTINCT FROM amount_after
    """


def _told(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """The columns that tell whether a row is another one."""
    return [name for name, dtype in after.items() if before.get(name) == dtype and name not in _PROVENANCE]


def _hashed(columns: list[str]) -> str:
    listed = ", ".join(f'"{name}"' for name in columns)
    return f"hash({listed})" if columns else "0"
