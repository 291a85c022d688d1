"""Fields that a format declares over several columns: an amount with one for each purpose, a date in three."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from schemas import codelist
from schemas.distinct import uniform
from schemas.format import DATE_PARTS

if TYPE_CHECKING:
    from pipelines.ingest.findings import Findings


def date_pieces(raw: pl.DataFrame) -> list[str]:
    """The columns of `raw` that hold a year, a month or a day."""
    return [name for name in raw.columns if name.partition(".")[2] in DATE_PARTS]


def whole_dates(raw: pl.DataFrame, letters: dict[str, str]) -> pl.DataFrame:
    """`raw` with columns named `<date>.year`, `.month` and `.day` written as one date under `<date>`.

    `letters` (field → column letter) gets the letter of the first of them, where the date is to be found.
    """
    pieces = date_pieces(raw)
    for date in dict.fromkeys(name.partition(".")[0] for name in pieces):
        own = [f"{date}.{part}" for part in DATE_PARTS if f"{date}.{part}" in pieces]
        written = pl.concat_str([pl.col(name).str.replace(r"\.0$", "").str.zfill(2) for name in own], separator="-")
        raw = raw.with_columns(written.alias(date))
        letters[date] = letters[own[0]]
    return raw.drop(pieces) if pieces else raw


def with_parts(lines: pl.DataFrame, findings: Findings) -> pl.DataFrame:
    """`lines` with columns named `<amount>.<purpose>` added up into `<amount>` and the purpose that is then certain.

    The purpose is that of the only part that is not zero; with several it stays null and the parts are said.
    """
    pieces = [name for name in lines.columns if "." in name]
    for amount in dict.fromkeys(name.partition(".")[0] for name in pieces):
        own = [name for name in pieces if name.startswith(f"{amount}.")]
        stated = pl.any_horizontal(pl.col(name).is_not_null() for name in own)
        total = pl.sum_horizontal(pl.col(name).fill_null(0) for name in own).cast(lines[own[0]].dtype)
        several = pl.sum_horizontal((pl.col(name).fill_null(0) != 0).cast(pl.Int32) for name in own)
        only = pl.coalesce(pl.when(pl.col(name).fill_null(0) != 0).then(pl.lit(_purpose(name))) for name in own)
        known = [pl.col("purpose")] if "purpose" in lines.columns else []
        details = _details(lines, own)
        mask = lines.select(several > 1).to_series()
        lines = lines.with_columns(
            pl.when(stated).then(total).alias(amount),
            pl.coalesce(*known, pl.when(several == 1).then(only)).alias("purpose"),
        )
        findings.add("parts_added", amount, uniform(None, lines.height, dtype=pl.String), mask,
                     details=details)  # fmt: skip
    return lines.drop(pieces) if pieces else lines


def _purpose(name: str) -> str:
    return name.partition(".")[2]


def _details(lines: pl.DataFrame, parts: list[str]) -> pl.Series:
    labels = codelist.labels("purpose")
    said = [pl.format("{} ({} €)", pl.lit(labels[_purpose(name)]), pl.col(name).cast(pl.String)) for name in parts]
    return lines.select(pl.concat_str(said, separator=" et ", ignore_nulls=True)).to_series()
