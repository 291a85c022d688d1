"""A recognised sheet → rows of raw text under the names of fields; every other column and row accounted for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.fold import fold, fold_header, fold_words
from pipelines.ingest.personal import personal_header
from pipelines.ingest.report import ColumnReport, SheetReport

if TYPE_CHECKING:
    from pipelines.ingest.recognise import Header

_TOTAL = re.compile(r"^(sous )?(total|totaux)( general| generaux)?\b")
REPEATED_HEADER = "titres de colonnes répétés"
TOTAL_ROW = "ligne de total"


@dataclass(frozen=True)
class MappedSheet:
    """`lines` has `source_row` and one text column per mapped field; `letters` gives each field's column."""

    header: Header
    lines: pl.DataFrame
    letters: dict[str, str]
    columns: list[ColumnReport]
    report: SheetReport


def map_sheet(header: Header) -> MappedSheet:
    """The rows below the header, blank ones left out, with text trimmed and blank cells null."""
    sheet = header.sheet
    below = sheet.cells.filter(pl.col("row") > header.row)
    below = below.with_columns(_trimmed(pl.col(letter)) for letter in sheet.letters)
    below = below.filter(pl.any_horizontal(pl.col(letter).is_not_null() for letter in sheet.letters))
    ignored, kept = _set_aside(header, below)
    report = SheetReport(
        name=sheet.name,
        kept=True,
        reason="lue",
        header_row=header.row,
        rows_read=below.height,
        rows_ignored=below.height - kept.height,
        ignored=ignored,
    )
    letters = {name: letter for letter, name in header.fields.items()}
    lines = kept.select(pl.col("row").alias("source_row"), *(pl.col(letter).alias(n) for n, letter in letters.items()))
    return MappedSheet(header, lines, letters, _columns(header, below), report)


def _trimmed(cell: pl.Expr) -> pl.Expr:
    # U+0000-U+001F but line breaks are noise of exports; no-break spaces stay inside words and go at the ends.
    text = cell.str.replace_all(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "").str.replace_all(
        r"^[\s\u00a0\u202f]+|[\s\u00a0\u202f]+$", ""
    )
    return pl.when(text != "").then(text)


def _set_aside(header: Header, rows: pl.DataFrame) -> tuple[dict[str, int], pl.DataFrame]:
    """Rows that are no lines of data: titles repeated inside the sheet, totals without any party."""
    repeated = pl.all_horizontal(
        pl.col(letter).eq_missing(pl.lit(title.strip())) for letter, title in header.titles.items()
    )
    first = pl.coalesce(pl.col(letter) for letter in header.sheet.letters)
    identifiers = [
        letter for letter, name in header.fields.items() if name.endswith(("_id", "_siret", "_siren", "_rna"))
    ]
    anonymous = pl.all_horizontal(pl.col(letter).is_null() for letter in identifiers) if identifiers else pl.lit(True)
    labels = rows.select(first.alias("label"))["label"].fill_null("")
    is_total = pl.Series([bool(_TOTAL.match(fold_words(label))) for label in labels.to_list()], dtype=pl.Boolean)
    marked = rows.with_columns(
        repeated.alias("__repeated"), (is_total & rows.select(anonymous).to_series()).alias("__total")
    )
    counts = {
        REPEATED_HEADER: marked["__repeated"].sum(),
        TOTAL_ROW: marked.filter(~pl.col("__repeated"))["__total"].sum(),
    }
    kept = marked.filter(~pl.col("__repeated") & ~pl.col("__total")).drop("__repeated", "__total")
    return {reason: int(count) for reason, count in counts.items() if count}, kept


def _columns(header: Header, rows: pl.DataFrame) -> list[ColumnReport]:
    ignored = {fold_header(title): why for title, why in header.format.ignore.items()}
    reports = []
    for letter in header.sheet.letters:
        title = header.titles.get(letter, "").strip()
        report = ColumnReport(header.sheet.name, letter, " ".join(title.split()), header.fields.get(letter))
        if report.field is None:
            if not title and rows[letter].is_null().all():
                continue
            report.why = _why_unused(header, letter, title, ignored)
        reports.append(report)
    return reports


def _why_unused(header: Header, letter: str, title: str, ignored: dict[str, str]) -> str:
    if letter in header.duplicates:
        return f"même titre que la colonne {header.duplicates[letter]}, qui est lue"
    if fold_header(title) in ignored:
        return ignored[fold_header(title)]
    if personal_header(title):
        return "donnée personnelle : non lue"
    return "colonne inconnue de ce format" if fold(title) else "colonne sans titre"
