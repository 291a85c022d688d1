"""Frames and tables as Dagster metadata: row counts, column schemas, previews."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dagster as dg
import duckdb

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pipelines.ingest.restaging import Cost

_PREVIEW = 8
_LONGEST = 80


def as_table(
    rows: Sequence[dict[str, Any]], *, longest: int = _LONGEST
) -> dg.TableMetadataValue | dg.TextMetadataValue:
    """A small table of text and numbers, one record a row; a text longer than `longest` characters is cut."""
    if not rows:
        return dg.MetadataValue.text("aucune ligne")
    records = [dg.TableRecord({key: _plain(value, longest) for key, value in row.items()}) for row in rows]
    return dg.MetadataValue.table(records)


def _plain(value: Any, longest: int) -> str | int | float | bool | None:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    text = str(value)
    return text if len(text) <= longest else text[: longest - 1] + "…"


def describe_tables(database: Path, names: Sequence[str]) -> dict[str, dict[str, Any]]:
    """For each table of `database`: its row count, its columns with their descriptions, and its first rows."""
    with duckdb.connect(str(database), read_only=True) as connection:
        return {name: _describe(connection, name) for name in names}


def _describe(connection: duckdb.DuckDBPyConnection, name: str) -> dict[str, Any]:
    columns = connection.execute(
        "SELECT column_name, data_type, comment FROM duckdb_columns() WHERE table_name = ? ORDER BY column_index",
        [name],
    ).fetchall()
    count = connection.execute(f'SELECT count(*) FROM "{name}"').fetchall()[0][0]
    rows = connection.execute(f'SELECT * FROM "{name}" LIMIT {_PREVIEW}').fetchall()
    titles = [column for column, _, _ in columns]
    return {
        "dagster/row_count": int(count),
        "dagster/column_schema": dg.TableSchema(
            columns=[dg.TableColumn(column, kind, description=comment or None) for column, kind, comment in columns]
        ),
        "aperçu": as_table([dict(zip(titles, row, strict=True)) for row in rows]),
    }


def cost_metadata(found: Cost) -> dict[str, Any]:
    """What a pass over the inbox costs, as metadata."""
    seconds = "non estimées : aucun passage n'a encore lu de fichier" if found.seconds is None else round(found.seconds)
    return {
        "fichiers nouveaux": found.n_new,
        "fichiers à relire": found.n_again,
        "lignes à relire": found.lines_again,
        "octets à lire": found.bytes_new + found.bytes_again,
        "lectures gardées, sans copie": found.n_kept,
        "secondes estimées": seconds,
        "d'après": f"{found.n_runs} passages",
    }
