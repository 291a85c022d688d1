"""The public database, opened read only: whole small tables as pandas frames, slices of the large one by SQL."""

from __future__ import annotations

import hashlib
import re
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from pyarrow import ipc

from pipelines.publish.tables import records

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Sequence
    from types import TracebackType

pd.set_option("mode.string_storage", "python")
"""Pages are made of thousands of small frames, read back cell by cell: Arrow strings cost a third of the time."""

_PARAMETER = re.compile(r"\?|\$\w+")
LARGE = frozenset({
    "awards", "beneficiaries", "cofunded_lines", "cofunded_projects", "continuity_by_beneficiary_funder",
    "funding_by_beneficiary_year",
})  # fmt: skip
"""Tables with a row per award or beneficiary: read by slices, never whole."""
AT_ONCE = 100_000
"""Rows of a large file held at once."""
_COMPRESSED = ipc.IpcWriteOptions(compression="lz4")
MEMORY_LIMIT = "1GB"
"""What sorting a country's awards may take in each process; beyond, DuckDB writes aside."""
_AT_REST = "100MB"


@dataclass(frozen=True)
class Publication:
    """The single row of `publication`: the state of the data, the publisher, the thresholds of disclosure control."""

    as_of: dt.date
    publisher_name: str
    site_url: str | None
    correction_address: str
    licence: str
    is_demonstration: bool
    min_decisions: int
    min_count: int
    min_applicants: int
    max_share: float
    min_persons: int
    min_decided_share: float
    min_year_share: float
    n_deposits: int
    n_awards: int
    n_funders: int


class PublicDatabase:
    """A read-only connection without access to other files. Money comes as float: exact to the cent below 9e13."""

    def __init__(self, path: Path) -> None:
        self._spill = tempfile.TemporaryDirectory(prefix="qui-finance-quoi-")
        config: dict[str, str | bool | int | float | list[str]] = {
            "enable_external_access": "false",
            "threads": "2",
            "memory_limit": MEMORY_LIMIT,
            "temp_directory": self._spill.name,
            # else a sort of many lines keeps its memory as long as the connection lasts
            "allocator_bulk_deallocation_flush_threshold": "0MB",
        }
        self._connection = duckdb.connect(str(path), read_only=True, config=config)
        self._connection.execute("SET enable_progress_bar = false")
        self._tables: dict[str, pd.DataFrame] = {}
        self._groups: dict[tuple[str, str], dict[Any, pd.DataFrame]] = {}
        self._places: dict[tuple[str, str], dict[Any, Any]] = {}

    def __enter__(self) -> PublicDatabase:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
        self._spill.cleanup()

    @property
    def aside(self) -> Path:
        """A folder for what is written aside, until the database is closed."""
        return Path(self._spill.name)

    def query(self, sql: str, parameters: Sequence[object] = ()) -> pd.DataFrame:
        """The rows of `sql`, in its order."""
        return _plain(self._connection.execute(sql, list(parameters)).df())

    def lists(self, sql: str, parameters: Sequence[object] = ()) -> dict[str, list[Any]]:
        """The rows of `sql` as a list a column, None for an absence: for what goes through many rows, not for pages."""
        money = pl.selectors.decimal().cast(pl.Float64)
        return self.typed(sql, parameters).with_columns(money).to_dict(as_series=False)

    def slice(self, table: str, key: str, value: object, columns: str, order: str) -> pl.DataFrame:
        """The rows of a table where the expression `key` is `value`, as `typed` has them."""
        return self.typed(f'SELECT {columns} FROM "{table}" WHERE {key} = ? ORDER BY {order}', [value])

    def typed(self, sql: str, parameters: Sequence[object] = ()) -> pl.DataFrame:
        """The rows of `sql` with exact types (decimals stay decimals), for files to download."""
        return framed(self._connection.sql(sql, params=list(parameters)).to_arrow_table())

    def batches(self, sql: str, parameters: Sequence[object] = ()) -> Iterator[pl.DataFrame]:
        """The rows of `sql` as `typed` gives them, `AT_ONCE` at a time; one empty frame when there is none."""
        reader = self._connection.cursor().sql(sql, params=list(parameters)).to_arrow_reader(AT_ONCE)
        is_empty = True
        for batch in reader:
            is_empty = False
            yield framed(batch)
        if is_empty:
            yield framed(reader.schema.empty_table())

    def kept(
        self, sql: str, parameters: Sequence[object] = (), columns: Sequence[str] | None = None
    ) -> Iterator[pl.DataFrame]:
        """The rows of a long query as `batches` gives them, or some `columns` of them.

        It is run once: its rows are kept aside for whoever asks it again.
        """
        held = self.aside / f"{hashlib.sha256(repr((sql, parameters)).encode()).hexdigest()}.arrow"
        if not held.exists():
            reader = self._connection.cursor().sql(sql, params=list(parameters)).to_arrow_reader(AT_ONCE)
            with ipc.new_stream(held, reader.schema, options=_COMPRESSED) as writer:
                for batch in reader:
                    writer.write_batch(batch)
        with pa.OSFile(str(held)) as file, ipc.open_stream(file) as batches:
            is_empty = True
            for batch in batches:
                is_empty = False
                yield framed(batch.select(columns) if columns else batch)
            if is_empty:
                empty = batches.schema.empty_table()
                yield framed(empty.select(columns) if columns else empty)

    def table(self, name: str) -> pd.DataFrame:
        """A whole table in a stable order, read once. Raises `ValueError` for the large ones."""
        if name in LARGE:
            raise ValueError(f"{name} is read by slices")
        if name not in self._tables:
            self._tables[name] = self.query(f'SELECT * FROM "{name}" ORDER BY ALL')
        return self._tables[name]

    def where(self, name: str, column: str, value: object) -> pd.DataFrame:
        """The rows of a whole table where `column` is `value`; empty, with its columns, when there is none."""
        key = (name, column)
        if key not in self._groups:
            groups = self.table(name).groupby(column, sort=False)
            self._groups[key] = {value: part.reset_index(drop=True) for value, part in groups}
        found = self._groups[key].get(value)
        return self.table(name).iloc[:0] if found is None else found

    def among(self, name: str, column: str, values: Iterable[object]) -> pd.DataFrame:
        """The rows of a whole table where `column` is one of `values`, in its order."""
        key = (name, column)
        if key not in self._places:
            self._places[key] = dict(self.table(name).groupby(column, sort=False).indices)
        found = [self._places[key][value] for value in values if value in self._places[key]]
        return self.table(name).iloc[np.sort(np.concatenate(found)) if found else []]

    def tables(self) -> list[str]:
        """Every table, sorted."""
        found = self.query(
            "SELECT table_name FROM duckdb_tables() WHERE NOT internal AND NOT temporary ORDER BY table_name"
        )
        return [str(name) for name in found["table_name"]]

    def grouped(self, sql: str, column: str, value: object) -> pd.DataFrame:
        """The rows of a small query where `column` is `value`; empty, with its columns, when there is none."""
        if sql not in self._tables:
            self._tables[sql] = self.query(sql)
        return self.where(sql, column, value)

    def columns(self, table: str) -> list[str]:
        """The columns of a table, in its order."""
        return [name for name, _ in self.types(table)]

    def types(self, table: str) -> list[tuple[str, str]]:
        """The columns of a table with their types."""
        return [(str(row[0]), str(row[1])) for row in self._connection.execute(f'DESCRIBE "{table}"').fetchall()]

    def tables_of(self, sql: str) -> set[str]:
        """The tables that a query reads; all of them when DuckDB cannot tell without running it."""
        try:
            return set(self._connection.get_table_names(_PARAMETER.sub("NULL", sql)))
        except duckdb.BinderException:
            return set(self.tables())

    def marks(self, table: str, keys: Sequence[str]) -> dict[str, dict[str, list[Any]]]:
        """For each of `keys`, each value `k` with its rows: how many (`n`), and both hashes of each row added up.

        The hashes are those of DuckDB, which may differ from one version of it to another.
        """
        names = [f'"{name}"' for name in self.columns(table)]
        forth, back = ", ".join(names), ", ".join(reversed(names))
        read = ", ".join(f"{key} AS k{number}" for number, key in enumerate(keys))
        self._connection.execute(
            f"CREATE OR REPLACE TEMP TABLE marks AS SELECT {read}, hash({forth})::HUGEINT AS forth,"
            f' hash({back}, 0)::HUGEINT AS back FROM "{table}"'
        )
        added = "count(*) AS n, sum(forth)::VARCHAR AS forth, sum(back)::VARCHAR AS back"
        found = {
            key: self.lists(f"SELECT k{number} AS k, {added} FROM marks GROUP BY ALL")
            for number, key in enumerate(keys)
        }
        self._connection.execute("DROP TABLE marks")
        return found

    def rest(self) -> None:
        """Give back the memory that reading took: what is asked afterwards is read again."""
        for limit in (_AT_REST, MEMORY_LIMIT):
            self._connection.execute(f"SET memory_limit = '{limit}'")

    def fingerprint(self) -> str:
        """A hash of everything the database holds: equal contents give equal hashes, in any order of rows."""
        digest = hashlib.sha256()
        for name in self.tables():
            sums = self._connection.execute(f'SELECT count(*), sum(hash(t)::HUGEINT) FROM "{name}" AS t').fetchall()
            columns = [row[:2] for row in self._connection.execute(f'DESCRIBE "{name}"').fetchall()]
            digest.update(repr((name, self.comment(name), columns, sums)).encode())
        return digest.hexdigest()

    def comment(self, table: str) -> str:
        """What the database says of a table."""
        return self._comments.get(table) or ""

    @cached_property
    def _comments(self) -> dict[str, str | None]:
        found = self._connection.execute("SELECT table_name, comment FROM duckdb_tables()").fetchall()
        return dict(found)

    @cached_property
    def publication(self) -> Publication:
        """The publication's row. Raises `ValueError` when there is not exactly one."""
        rows = records(self.query("SELECT * FROM publication"))
        if len(rows) != 1:
            raise ValueError(f"publication: {len(rows)} lignes, une seule attendue")
        row = rows[0]
        values = {name: row[name] for name in Publication.__dataclass_fields__}
        values["as_of"] = values["as_of"].date()
        return Publication(**values)


def framed(rows: Any) -> pl.DataFrame:
    """A table of Arrow, or a batch of one, as a frame."""
    found = pl.from_arrow(rows)
    if not isinstance(found, pl.DataFrame):
        raise TypeError("une table était attendue")
    return found


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Masked types made plain: whole numbers (floats when some are missing), booleans with None."""
    for name, dtype in frame.dtypes.items():
        if isinstance(dtype, pd.BooleanDtype):
            frame[name] = frame[name].astype(object).where(frame[name].notna(), None)
        elif pd.api.types.is_extension_array_dtype(dtype) and pd.api.types.is_integer_dtype(dtype):
            frame[name] = frame[name].astype("float64" if frame[name].isna().any() else "int64")
    return frame
