"""What is current, as the inbox left it: `current.json` and the staging folders it names."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from pipelines.warehouse.inputs import (
    DECLARATIONS,
    DELIVERIES,
    DEPOSITS,
    LINE_DECISIONS,
    REMINDERS,
    RHYTHMS,
    TWINS,
    VERSIONS,
    Inputs,
)

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

NAME = "current.json"


class NothingStagedError(RuntimeError):
    """There is no `current.json` that can be used: the inbox was never read, or only by an earlier version."""


def load_inputs(warehouse: Path, *, as_of: date, registers: Path | None = None) -> Inputs:
    """The inputs of a build, from the folder `warehouse`, and from the official stock files of `registers` if any.

    Raises `NothingStagedError` when no pass over the inbox has ended yet, or none since the file has its present form.
    """
    path = warehouse / NAME
    if not path.is_file():
        raise NothingStagedError("Aucun dépôt n'a encore été lu : matérialisez d'abord « staging ».")
    body = json.loads(path.read_text(encoding="utf-8"))
    if "rhythms" not in body:
        raise NothingStagedError(
            "Les dépôts ont été lus par une version antérieure : matérialisez d'abord « staging »."
        )
    for row in body["deposits"]:
        row["received_at"] = datetime.fromisoformat(row["received_at"]).replace(tzinfo=None)
    stagings = [(row["deposit_id"], warehouse / row.pop("staging")) for row in body["deposits"]]
    deposits = pl.DataFrame(body["deposits"], schema={**DEPOSITS, "source_updated_at": pl.String}, orient="row")
    return Inputs(
        stagings=stagings,
        deposits=deposits.with_columns(pl.col("source_updated_at").str.to_date("%Y-%m-%d")),
        versions=pl.DataFrame(body["versions"], schema=VERSIONS, orient="row"),
        funder_declarations=pl.DataFrame(body["funder_declarations"], schema=DECLARATIONS, orient="row"),
        line_decisions=_dated(body["line_decisions"], LINE_DECISIONS),
        deliveries=_dated(body["deliveries"], DELIVERIES),
        rhythms=_dated(body["rhythms"], RHYTHMS),
        reminders=_dated(body["reminders"], REMINDERS),
        twins=pl.read_parquet(warehouse / body["twins"], schema=TWINS),
        as_of=as_of,
        registers=registers,
    )


def _dated(rows: list[dict[str, Any]], schema: pl.Schema) -> pl.DataFrame:
    """Rows of a manifest whose days are text, as a frame of `schema`."""
    days = [name for name, dtype in schema.items() if dtype == pl.Date]
    frame = pl.DataFrame(rows, schema={**schema, **dict.fromkeys(days, pl.String())}, orient="row")
    return frame.with_columns(pl.col(name).str.to_date("%Y-%m-%d") for name in days)
