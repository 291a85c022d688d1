"""Corrections made by hand (`schemas/corrections.csv`), applied to the text of lines before anything is read in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from schemas.corrections import load_corrections
from schemas.distinct import uniform

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.ingest.derive import Origin
    from pipelines.ingest.findings import Findings
    from schemas.corrections import Correction


def corrected(
    lines: pl.DataFrame,
    origin: Origin,
    findings: Findings,
    *,
    sheet_index: int,
    places: pl.Series | None = None,
    corrections: Sequence[Correction] | None = None,
) -> pl.DataFrame:
    """The text columns of `lines` (without `source_row`) with the corrections that concern them, each one said.

    A correction applies only where the cell still says what it said (`old`): a file sent again, put right, is left as
    it is. `places`: what tells each line from the others, by default its row.
    """
    raw = lines.drop("source_row")
    own = lines["source_row"].cast(pl.String) if places is None else places
    for correction in load_corrections() if corrections is None else corrections:
        if correction.field not in raw.columns:
            continue
        mask = _concerned(correction, own, raw, f"{origin.deposit_id}:{sheet_index}:")
        mask = mask & raw[correction.field].eq_missing(pl.Series([correction.old or None], dtype=pl.String))
        if not mask.any():
            continue
        said = f"« {correction.new or 'vide'} » ({correction.reason} ; {correction.author})"
        details = uniform(said, raw.height, dtype=pl.String)
        findings.add("corrected", correction.field, raw[correction.field], mask, details=details)
        new = pl.lit(correction.new or None, dtype=pl.String)
        raw = raw.with_columns(pl.when(mask).then(new).otherwise(correction.field).alias(correction.field))
    return raw


def _concerned(correction: Correction, places: pl.Series, raw: pl.DataFrame, prefix: str) -> pl.Series:
    if correction.line:
        return places == correction.line.removeprefix(prefix)
    if "case_number" not in raw.columns:
        return uniform(False, raw.height, dtype=pl.Boolean)
    return raw["case_number"].eq_missing(pl.Series([correction.case], dtype=pl.String))
