"""What is current, as the inbox left it: `current.json` and the staging folders it names."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl

from pipelines.warehouse.inputs import DECLARATIONS, DEPOSITS, LINE_DECISIONS, TWINS, VERSIONS, Inputs

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
    if "line_decisions" not in body:
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
        line_decisions=pl.DataFrame(
            body["line_decisions"], schema={**LINE_DECISIONS, "decided_date": pl.String}, orient="row"
        ).with_columns(pl.col("decided_date").str.to_date("%Y-%m-%d")),
        twins=pl.read_parquet(warehouse / body["twins"], schema=TWINS),
        as_of=as_of,
        registers=registers,
    )
