"""What each table and column is called and means, in French: database comments, and the public dictionary.

A column that is a field of a contract takes its words from `schemas`; the others are in `columns.toml`, under
`[columns]`, or under `[tables.<name>]` where the same name means something of its own.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import polars as pl

from pipelines.warehouse.connection import quoted, run
from schemas.contracts import APPLICATION, CONTRACTS, fields_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import duckdb

    from pipelines.warehouse.graph import Model

PATH = Path(__file__).parent / "columns.toml"
DICTIONARY = "dictionary"
DICTIONARY_DESCRIPTION = "Dictionnaire : le sens de chaque colonne de chaque table."
_OWN_CONTRACT = {"call": "call", "service": "service", "who_does_what": "service", "stated_": "decision_count"}
"""How the name of a table begins → the contract whose lines it is made of; the others are made of applications."""


@dataclass(frozen=True)
class ColumnWords:
    """Title, description and unit of one column."""

    title: str
    description: str
    unit: str | None = None

    @property
    def comment(self) -> str:
        """One line for a database comment."""
        unit = f" Unité : {self.unit}." if self.unit else ""
        return f"{self.title}. {self.description}{unit}".strip()


@cache
def _declared() -> dict[str, Any]:
    return tomllib.loads(PATH.read_text(encoding="utf-8"))


@cache
def _contract(table: str) -> dict[str, ColumnWords]:
    """The words of every contract; where two have a field of one name, those of the table's own contract."""
    own = next((name for start, name in _OWN_CONTRACT.items() if table.startswith(start)), APPLICATION)
    ordered = [*(name for name in CONTRACTS if name not in (APPLICATION, own)), APPLICATION, own]
    fields = [info for name in ordered for info in fields_of(name).values()]
    return {info.name: ColumnWords(info.title, info.description, info.unit) for info in fields}


def words(table: str, column: str) -> ColumnWords:
    """The words of a column. Raises `KeyError` when neither the contract nor columns.toml has them."""
    own = _declared()["tables"].get(table, {}).get(column)
    if own is not None:
        return ColumnWords(**own)
    if column in _contract(table):
        return _contract(table)[column]
    if column in _declared()["columns"]:
        return ColumnWords(**_declared()["columns"][column])
    raise KeyError(f"{table}.{column} is described neither by a contract nor in {PATH.name}")


def key_of(table: str) -> tuple[str, ...]:
    """The columns that tell the rows of a published table apart; none when none is declared."""
    return tuple(_declared()["keys"].get(table, ()))


def columns_of(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """(table, column) of the current database, tables sorted, columns in their order."""
    return [
        (row[0], row[1])
        for row in run(
            connection,
            "SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = 'warehouse'"
            " ORDER BY table_name, column_index",
        )
    ]


def write(
    connection: duckdb.DuckDBPyConnection, graph: Iterable[Model], *, others: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Comment every table and column of the current database; quicker inside a transaction.

    `others`: descriptions of the tables that are no model.
    """
    descriptions = {
        **{model.name: model.description for model in graph}, DICTIONARY: DICTIONARY_DESCRIPTION, **others
    }  # fmt: skip
    statements = [
        f'COMMENT ON COLUMN "{table}"."{column}" IS {quoted(words(table, column).comment)}'
        for table, column in columns_of(connection)
    ]
    tables = sorted({table for table, _ in columns_of(connection)})
    statements += [f'COMMENT ON TABLE "{table}" IS {quoted(descriptions[table])}' for table in tables]
    for statement in statements:
        run(connection, statement)


def dictionary(connection: duckdb.DuckDBPyConnection) -> pl.DataFrame:
    """table_name, column_name, title, description, unit, is_key of every column, in the tables' order."""
    texts = ("table_name", "column_name", "title", "description", "unit")
    schema = pl.Schema({**dict.fromkeys(texts, pl.String()), "is_key": pl.Boolean()})
    rows = [
        {"table_name": table, "column_name": column, **vars(words(table, column)), "is_key": column in key_of(table)}
        for table, column in sorted(
            [*columns_of(connection), *((DICTIONARY, name) for name in schema)], key=lambda pair: pair[0]
        )
    ]
    return pl.DataFrame(rows, schema=schema)
