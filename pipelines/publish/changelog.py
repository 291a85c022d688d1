"""What changed between publications, for machines: one JSON document of all of them, the newest first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pipelines.publish import formats
from pipelines.publish.tables import records

if TYPE_CHECKING:
    import pandas as pd

    from pipelines.publish.database import PublicDatabase
    from pipelines.publish.tables import Row

PATH = "data/changelog.json"
BY_TABLE, BY_FUNDER = "changes_by_table", "changes_by_funder"
_SAID_ONCE = ("publication", "as_of", "former_as_of")


def numbers(database: PublicDatabase) -> list[int]:
    """The publications that changed something, the newest first."""
    return sorted({int(number) for number in database.table(BY_TABLE)["publication"]}, reverse=True)


def of(database: PublicDatabase, table: str, number: int) -> pd.DataFrame:
    """What `table` says of one publication, in its order."""
    frame = database.table(table)
    return frame[frame["publication"] == number].reset_index(drop=True)


def document(database: PublicDatabase) -> bytes:
    """The whole history. Amounts are exact, as texts with a decimal point."""
    told = [
        {
            **_head(records(of(database, BY_TABLE, number))[0]),
            "tables": [_body(row) for row in records(of(database, BY_TABLE, number))],
            "funders": [_body(row) for row in records(of(database, BY_FUNDER, number))],
        }
        for number in numbers(database)
    ]
    return (json.dumps({"publications": told}, ensure_ascii=False, indent=1) + "\n").encode()


def _head(row: Row) -> dict[str, Any]:
    return {
        "publication": int(row["publication"]),
        "as_of": f"{row['as_of']:%Y-%m-%d}",
        "former_as_of": f"{row['former_as_of']:%Y-%m-%d}",
    }


def _body(row: Row) -> dict[str, Any]:
    return {name: _value(name, value) for name, value in row.items() if name not in _SAID_ONCE}


def _value(name: str, value: Any) -> Any:
    if formats.is_missing(value):
        return None
    if name.startswith("amount_"):
        return f"{value:.2f}"
    return int(value) if name.startswith("n_") else str(value)
