"""How the warehouse's databases are opened, written aside and swapped in.

DuckDB 2 streams results: every statement is fetched to its end (`run`). Files are written in a storage version that
DuckDB 1.3 and later open, since analysts' tools follow slowly.
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from schemas.publication import Publication

STORAGE_VERSION = "v1.3.0"
MEMORY_LIMIT = (
    "2GB"  # beyond it DuckDB writes aside: five million lines are built within three, Python's share included
)
MIN_PUBLISHED_SHARE = 0.9  # comparability gate (DOMAIN 3.2 d): refusals published for nine applications in ten
MIN_YEAR_SHARE = 0.1  # a year with fewer awards, against the median of the funder's others, shows no loss
MACROS = Path(__file__).parent / "macros.sql"


def run(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    """Execute `sql` to its end and return its rows."""
    return connection.execute(sql, list(parameters)).fetchall()


def quoted(text: object) -> str:
    """`text` as an SQL string."""
    return "'" + str(text).replace("'", "''") + "'"


def set_variables(connection: duckdb.DuckDBPyConnection, *, as_of: date, publication: Publication) -> None:
    """Make the date of reference and the declared parameters available to models, as `getvariable('name')`."""
    values: Mapping[str, object] = {
        "as_of": as_of,
        "min_published_share": MIN_PUBLISHED_SHARE,
        "min_year_share": MIN_YEAR_SHARE,
        **publication.disclosure.model_dump(),
        **{f"publisher_{name}": value for name, value in publication.publisher.model_dump().items()},
    }
    for name, value in values.items():
        run(connection, f"SET VARIABLE {name} = $1", [value])


@contextmanager
def written_aside(target: Path, *, start_from: Path | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection whose current database is a file beside `target`, put in its place on a normal exit.

    `start_from` is copied first. On an exception the file beside is removed and `target` stays as it was; one left by a
    killed process is removed by the next call. Temporary tables and macros never reach the file.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.with_name(f".{target.name}.building")
    spill = target.with_name(f".{target.name}.spill")
    _remove(beside, spill)
    try:
        if start_from is not None:
            shutil.copyfile(start_from, beside)
        config: dict[str, str | bool | int | float | list[str]] = {
            "threads": os.cpu_count() or 1,
            "memory_limit": MEMORY_LIMIT,
            "temp_directory": str(spill),
        }
        with duckdb.connect(":memory:", config=config) as connection:
            run(connection, f"ATTACH {quoted(beside)} AS warehouse (STORAGE_VERSION {quoted(STORAGE_VERSION)})")
            run(connection, "USE warehouse")
            connection.execute(MACROS.read_text(encoding="utf-8")).fetchall()
            yield connection
            run(connection, "USE memory")
            run(connection, "DETACH warehouse")
        beside.replace(target)
    finally:
        _remove(beside, spill)


@contextmanager
def opened(target: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection whose current database is `target`, read only, with the macros of the models."""
    with duckdb.connect(":memory:") as connection:
        run(connection, f"ATTACH {quoted(target)} AS warehouse (READ_ONLY)")
        run(connection, "USE warehouse")
        connection.execute(MACROS.read_text(encoding="utf-8")).fetchall()
        yield connection
        run(connection, "USE memory")
        run(connection, "DETACH warehouse")


def damage(path: Path) -> str | None:
    """Why the database at `path` cannot be read to its end, in DuckDB's words; None when every value can."""
    try:
        with duckdb.connect(str(path), read_only=True) as connection:
            for (table,) in run(connection, "SELECT table_name FROM duckdb_tables() ORDER BY 1"):
                run(connection, f'SELECT bit_xor(hash(t)) FROM "{table}" AS t')
    except duckdb.Error as error:
        return str(error).splitlines()[0][:120]
    return None


def _remove(beside: Path, spill: Path) -> None:
    for path in (beside, beside.with_name(beside.name + ".wal")):
        path.unlink(missing_ok=True)
    shutil.rmtree(spill, ignore_errors=True)
