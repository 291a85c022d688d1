"""JSON records → a sheet: one row a record, one column a key, nested objects flattened with dots.

Row numbers count records from 2, as if the keys stood on row 1; an object alone in a list counts as that object, the
following ones bear their rank (`plannedDates.2.startDate`).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl

from pipelines.ingest.encodings import decode
from pipelines.ingest.sheet import Sheet, UnreadableFileError, column_letters

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_COLUMNS = 2_000
_DEEPEST = 12
_WRAPPED = "fields"  # where some portals put the values of each record, beside its own number and dates


def looks_like_json(content: bytes) -> bool:
    """Whether the bytes begin like JSON: an object or a list."""
    head = content[:200].removeprefix(b"\xef\xbb\xbf").lstrip()
    return head.startswith((b"{", b"[{", b"[\n", b"[\r", b"[ "))


def read_records(content: bytes, *, name: str) -> Sheet | None:
    """The records of a JSON file (a list of objects, or the longest such list under one of its keys).

    None when the bytes are not JSON after all. Raises `UnreadableFileError` when they are JSON without records.
    """
    text, _ = decode(content)
    try:
        whole = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return None
    if isinstance(whole, dict) and "$schema" in whole:
        raise UnreadableFileError(
            "Ce fichier JSON décrit un schéma de données : il ne contient aucune subvention. Déposez les données."
        )
    key, records = _records(whole)
    if records and all(isinstance(record.get(_WRAPPED), dict) for record in records):
        records = [record[_WRAPPED] for record in records]
    if not records:
        raise UnreadableFileError("Ce fichier JSON ne contient pas de liste d'enregistrements.")
    rows = [dict(_flat(record, "", 0)) for record in records]
    titles = list(dict.fromkeys(title for row in rows for title in row))
    if len(titles) > _MOST_COLUMNS:
        raise UnreadableFileError("Ce fichier JSON a trop de champs différents pour être lu comme un tableau.")
    table = [titles, *[[row.get(title) for title in titles] for row in rows]]
    cells = pl.DataFrame(table, schema=dict.fromkeys(column_letters(len(titles)), pl.String), orient="row")
    notes = ("enregistrements JSON : la ligne 2 est le premier", *((f"sous la clé « {key} »",) if key else ()))
    numbered = cells.with_row_index("row", offset=1).with_columns(pl.col("row").cast(pl.Int32))
    return Sheet(name=name, cells=numbered, notes=notes, has_title=False)


def _records(whole: Any) -> tuple[str, list[dict[str, Any]]]:
    if isinstance(whole, list):
        return "", [record for record in whole if isinstance(record, dict)]
    if not isinstance(whole, dict):
        return "", []
    lists = {
        key: [record for record in value if isinstance(record, dict)]
        for key, value in whole.items()
        if isinstance(value, list)
    }
    key = max(lists, key=lambda name: len(lists[name]), default="")
    return key, lists.get(key, [])


def _flat(value: Any, path: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > _DEEPEST or value is None:
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}" if path else str(key), depth + 1)
    elif isinstance(value, list):
        if all(not isinstance(item, dict | list) for item in value):
            yield path, " ; ".join(_text(item) for item in value if item is not None)
            return
        for rank, item in enumerate(value, start=1):
            yield from _flat(item, path if rank == 1 else f"{path}.{rank}", depth + 1)
    else:
        yield path, _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "oui" if value else "non"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
