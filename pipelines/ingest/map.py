"""A recognised sheet → rows of raw text under the names of fields; every other column and row accounted for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.fold import fold, fold_header
from pipelines.ingest.layouts import CONTROLS_SCHEMA, Laid, lay_out
from pipelines.ingest.personal import mask, personal_header
from pipelines.ingest.pool import in_threads
from pipelines.ingest.report import ColumnReport, SheetReport
from pipelines.ingest.spill import repair_spilled
from pipelines.ingest.unpivot import NO_VALUE, unpivoted
from schemas.distinct import Distinct, holding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.ingest.recognise import Header
    from pipelines.ingest.sheet import Problem

SWAPPED = "le nom et l'identifiant sont inversés dans le fichier : chacun est relu à sa place"
_SAMPLE = 200
_MOSTLY = 0.8
_NOISE = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
_UNTIDY = rf"^$|^\s|\s$|{_NOISE}"
_NUMBER = r"^[\s\u00a0'’]*\d[\d\s\u00a0.]{7,16}\d[\s\u00a0'’]*$"


@dataclass(frozen=True)
class MappedSheet:
    """`lines` has `source_row` and one text column per mapped field; `letters` gives each field's column.

    A field read elsewhere than in a column (a section, a banner) has no letter. `controls` holds what the rows set
    aside state of the others. `cell_letters`: where one row gives several lines (columns whose titles are values),
    field → the letter of each line's own cell; empty otherwise. `distinct`: field → the same cells by distinct ones,
    where they are known.
    """

    header: Header
    lines: pl.DataFrame
    letters: dict[str, str]
    columns: list[ColumnReport]
    report: SheetReport
    controls: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=CONTROLS_SCHEMA))
    cell_letters: Mapping[str, pl.Series] = field(default_factory=dict)
    distinct: Mapping[str, Distinct] = field(default_factory=dict)

    def letter(self, name: str, position: int) -> str:
        """The column of the field `name` on the line at `position`."""
        own = self.cell_letters.get(name)
        return self.letters[name] if own is None else str(own[position])

    def places(self) -> pl.Series:
        """What tells each line from the others of its sheet: its row, and its column where a row gives several."""
        row = self.lines["source_row"].cast(pl.String)
        unpivot = self.header.format.layout.unpivot
        if not self.cell_letters or unpivot is None:
            return row
        return pl.select(pl.format("{}:{}", row, self.cell_letters[unpivot.key])).to_series()


def map_sheet(header: Header) -> MappedSheet:
    """The rows below the header, blank ones left out, with text trimmed and blank cells null."""
    header, below, known = _below(header)
    header, laid = lay_out(header, below)
    header, swapped = _unswapped(header, laid)
    kept = laid.rows
    letters = {name: letter for letter, name in header.fields.items()}
    lines = kept.select(
        pl.col("row").alias("source_row"),
        *(pl.col(letter).alias(name) for name, letter in letters.items()),
        *(text.alias(name) for name, text in laid.given.items() if name not in letters),
    )
    # Rows set aside, or cells filled from others, and the cells are no longer those that were looked at.
    distinct = {name: known[letter] for name, letter in letters.items() if letter in known and kept is below}
    cell_letters: Mapping[str, pl.Series] = {}
    if header.format.layout.unpivot is not None:
        lines, letters, cell_letters = unpivoted(lines, letters, header.format.layout.unpivot)
        laid.drop(set(kept["row"].to_list()) - set(lines["source_row"].to_list()), NO_VALUE)
        kept, distinct = laid.rows, {}
    report = SheetReport(
        name=header.sheet.name,
        kept=True,
        reason="lue",
        header_row=header.row,
        rows_read=below.height,
        rows_ignored=below.height - kept.height,
        ignored=laid.ignored,
    )
    columns = _columns(header, below, swapped)
    return MappedSheet(header, lines, letters, columns, report, laid.controls, cell_letters, distinct)


def _below(header: Header) -> tuple[Header, pl.DataFrame, Mapping[str, Distinct]]:
    """The filled rows under the header, trimmed; cells that an unquoted comma pushed aside are put back.

    With the distinct cells of its columns, by letter, as far as they are known.
    """
    sheet = header.sheet
    above = int((sheet.cells["row"] <= header.row).sum())
    known = {letter: column.below(above) for letter, column in sheet.distinct.items()}
    below, distinct = _trimmed(sheet.cells.slice(above), sheet.letters, known)
    filled = below.select(pl.any_horizontal(pl.col(letter).is_not_null() for letter in sheet.letters)).to_series()
    if not filled.all():
        below, distinct = below.filter(filled), {}
    if sheet.has_title or not sheet.problems:
        return header, below, distinct
    below, repaired = repair_spilled(header, below)
    mended: dict[int, Problem] = {problem.row: problem for problem in repaired}
    left = [p for p in sheet.problems if p.row not in mended or p.code != "row_length"]
    return replace(header, sheet=replace(sheet, problems=[*left, *repaired])), below, {}


def _trimmed(
    cells: pl.DataFrame, letters: list[str], known: Mapping[str, Distinct]
) -> tuple[pl.DataFrame, Mapping[str, Distinct]]:
    """Cells without control characters (line breaks stay) nor spaces of any kind at their ends; blank ones null.

    A column where nothing has to be done is left as it is: it would take its weight in memory again. With the distinct
    cells that are `known` of the columns as they are given, and comes back with those of the columns as they become.
    """
    distinct = {letter: known.get(letter) or Distinct.of(cells[letter]) for letter in letters}
    untidy = holding(distinct, pl.all().str.contains(_UNTIDY))
    tidied = in_threads(_tidy, [distinct[letter] for letter in untidy], lines=cells.height)
    become = dict(zip(untidy, tidied, strict=True))
    columns = [column.over(column.cells).alias(letter) for letter, column in become.items()]
    return cells.with_columns(columns), {**distinct, **become}


def _tidy(column: Distinct) -> Distinct:
    text = column.cells.str.replace_all(_NOISE, "").str.strip_chars()
    return Distinct.of(column.over(pl.select(pl.when(text != "").then(text)).to_series()))


def _unswapped(header: Header, laid: Laid) -> tuple[Header, tuple[str, ...]]:
    """The header with the applicant's name and identifier exchanged when their cells say so; the letters concerned."""
    by_name = {name: letter for letter, name in header.fields.items()}
    letters = [by_name.get("applicant_name"), by_name.get("applicant_id")]
    if letters[0] is None or letters[1] is None:
        return header, ()
    name, identifier = (laid.rows[letter].drop_nulls().head(_SAMPLE) for letter in letters if letter)
    if not name.len() or not identifier.len():
        return header, ()
    if name.str.contains(_NUMBER).sum() < _MOSTLY * name.len():
        return header, ()
    if identifier.str.contains(r"\p{L}{3}").sum() < _MOSTLY * identifier.len():
        return header, ()
    exchanged = {letters[0]: "applicant_id", letters[1]: "applicant_name"}
    fields = {letter: exchanged.get(letter, name) for letter, name in header.fields.items()}
    return replace(header, fields=fields), (letters[0], letters[1])


def _columns(header: Header, rows: pl.DataFrame, swapped: tuple[str, ...]) -> list[ColumnReport]:
    ignored = {fold_header(title): why for title, why in header.format.ignore.items()}
    reports = []
    for letter in header.sheet.letters:
        title = header.titles.get(letter, "").strip()
        shown = " ".join((mask(title) or "").split())
        report = ColumnReport(header.sheet.name, letter, shown, header.fields.get(letter))
        if letter in swapped:
            report.why = SWAPPED
        if report.field is None:
            if not title and rows[letter].is_null().all():
                continue
            report.why = _why_unused(header, letter, title, ignored)
        else:
            report.field = report.field.partition(".")[0]
        reports.append(report)
    return reports


def _why_unused(header: Header, letter: str, title: str, ignored: dict[str, str]) -> str:
    if letter in header.duplicates:
        return f"même titre que la colonne {header.duplicates[letter]}, qui est lue"
    for way in (fold_header(title), *header.spelled.get(letter, ())):
        if way in ignored:
            return ignored[way]
    if personal_header(title):
        return "donnée personnelle : non lue"
    return "colonne inconnue de ce format" if fold(title) else "colonne sans titre"
