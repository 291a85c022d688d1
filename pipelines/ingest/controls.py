"""What a file says of itself (totals, subtotals, number of lines) compared with the lines that were read.

A total is never counted; when it does not fall right, it is said with both figures. Totals without a label are found
in `totals`.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.amounts import parse_amounts
from pipelines.ingest.french import amount as written
from pipelines.ingest.french import count
from pipelines.ingest.layouts import key_of
from pipelines.ingest.personal import mask
from pipelines.ingest.validate import ISSUES_SCHEMA
from schemas.issues import issue_kinds

if TYPE_CHECKING:
    from pipelines.ingest.map import MappedSheet
    from pipelines.ingest.normalise import Normalised


@dataclass(frozen=True)
class Controls:
    """`issues`: what does not fall right, as the issues of lines; `notes`: what was checked, in French."""

    issues: pl.DataFrame
    notes: tuple[str, ...]


@dataclass(frozen=True)
class _Stated:
    """A row that states something of others: what it says, what the lines give, and whether they agree."""

    row: int
    kind: str
    field: str
    text: str
    found: str | None
    """None when the lines agree."""


def check_controls(mapped: MappedSheet, normalised: Normalised) -> Controls:
    """Every total and number of lines that the sheet states, against its lines."""
    stated = [*_counts(mapped), *_amounts(mapped, normalised)]
    return Controls(_issues([s for s in stated if s.found is not None], mapped), tuple(_notes(stated)))


def _counts(mapped: MappedSheet) -> list[_Stated]:
    lines = mapped.lines.height
    return [
        _Stated(row, "count", "", text, None if int(text) == lines else f"{count(lines, 'ligne')} ont été lues")
        for row, text in mapped.controls.filter(pl.col("kind") == "count").select("row", "text").iter_rows()
    ]


def _amounts(mapped: MappedSheet, normalised: Normalised) -> list[_Stated]:
    checked: list[_Stated] = []
    controls = mapped.controls.filter(pl.col("kind") != "count")
    for name in controls["field"].unique(maintain_order=True).to_list():
        own = _cells(name, mapped, normalised)
        if own is None:
            continue
        rows = controls.filter(pl.col("field") == name)
        # The notation of the column decides how its totals are read.
        factor = mapped.header.format.rule(name).times
        values = parse_amounts(pl.concat([own, rows["text"]]), times=factor).values
        lines = pl.DataFrame({"row": normalised.lines["source_row"], "value": values.head(own.len())})
        rows = rows.with_columns(values.tail(rows.height).alias("value"))
        checked += _totals(rows.filter(pl.col("kind") == "total"), lines, name)
        shared = _shared(mapped)
        parents = rows.filter(pl.col("kind") == "parent")
        checked += _parents(parents, lines.with_columns(mapped.lines.with_columns(shared.alias("key"))["key"]), name)
    return checked


def _letter_of(name: str, mapped: MappedSheet) -> str | None:
    return next((letter for letter, own in mapped.header.fields.items() if own == name), None)


def _cells(name: str, mapped: MappedSheet, normalised: Normalised) -> pl.Series | None:
    """The text of the column `name`, line by line; of one made into lines, null on the lines of the others."""
    raw, rule = normalised.raw, mapped.header.format.layout.unpivot
    if name in raw.columns:
        return raw[name]
    whole, _, value = name.partition(".")
    if rule is None or whole not in raw.columns:
        return None
    return pl.select(pl.when(mapped.lines[rule.key] == value).then(raw[whole])).to_series()


def _shared(mapped: MappedSheet) -> pl.Expr:
    rule = mapped.header.format.layout.details
    return key_of([name for name in rule.inherit if name in mapped.lines.columns] if rule is not None else [])


def _totals(totals: pl.DataFrame, lines: pl.DataFrame, name: str) -> list[_Stated]:
    """A total adds up the lines since the one above it, all lines above it, or all lines."""
    rows = lines["row"].to_list()
    sums = [Decimal(0), *accumulate(value or Decimal(0) for value in lines["value"].to_list())]
    checked, previous = [], 0
    for row, text, value in totals.select("row", "text", "value").iter_rows():
        here = bisect_left(rows, row)
        since, above, whole = sums[here] - sums[previous], sums[here], sums[-1]
        found = None if value in (since, above, whole) else f"les lignes au-dessus font {_written(since)}"
        checked.append(_Stated(row, "total", name, text, found))
        previous = here
    return checked


def _parents(parents: pl.DataFrame, lines: pl.DataFrame, name: str) -> list[_Stated]:
    """A parent adds up the details that name the same party; parents of one party are added up."""
    if parents.is_empty():
        return []
    sums = lines.group_by("key").agg(pl.col("value").sum().alias("details"))
    compared = parents.join(sums, on="key", how="left", maintain_order="left")
    compared = compared.with_columns(pl.col("value").sum().over("key"))
    return [
        _Stated(
            row, "parent", name, text, None if value == details else f"le détail fait {_written(details or Decimal(0))}"
        )
        for row, text, value, details in compared.select("row", "text", "value", "details").iter_rows()
    ]


def _written(value: Decimal) -> str:
    return written(value, currency=None)


def _notes(stated: list[_Stated]) -> list[str]:
    notes = []
    for kind, one, many in (("total", "total", "totaux"), ("parent", "total détaillé", "totaux détaillés")):
        own = [s for s in stated if s.kind == kind]
        right = sum(s.found is None for s in own)
        if own:
            notes.append(f"{count(len(own), one, many)} dans le fichier, dont {right} conformes aux lignes")
    notes += [f"{s.text} lignes annoncées et lues" for s in stated if s.kind == "count" and s.found is None]
    return notes


def _issues(wrong: list[_Stated], mapped: MappedSheet) -> pl.DataFrame:
    records = []
    for item in wrong:
        kind = issue_kinds()["count_mismatch" if item.kind == "count" else "total_mismatch"]
        shown = mask(item.text)
        message = kind.message.format(value=shown, field="", detail=item.found)
        records.append(
            (
                mapped.header.sheet.name,
                item.row,
                mapped.letters.get(item.field) or _letter_of(item.field, mapped),
                item.field.partition(".")[0] or None,
                shown,
                kind.code,
                message,
                kind.severity,
            )
        )
    return pl.DataFrame(records, schema=ISSUES_SCHEMA, orient="row")
