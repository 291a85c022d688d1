"""A published table as an Excel workbook: its lines, the dictionary of its columns, where it comes from.

Codes stay texts (a SIREN keeps its zeros), numbers and dates are typed. Nothing is a formula: texts are made harmless
as in the CSV files.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import polars as pl
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter

from pipelines.publish import sheet_rows
from pipelines.publish.comma_separated import neutralised
from pipelines.workbook_file import workbook_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from openpyxl.worksheet._write_only import WriteOnlyWorksheet

MOST_LINES = 50_000
"""Lines beyond which a table is offered as CSV and Parquet only: a workbook of that size no longer opens well."""
LONGEST_TEXT = 32_767
"""Characters that a cell may hold (Excel)."""
_NOT_XML = "[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]"
_WIDEST = 60


def to_bytes(
    frame: pl.DataFrame, *, name: str, columns: Sequence[Sequence[str]], about: Sequence[tuple[str, str]], day: dt.date
) -> bytes:
    """The workbook of at most `MOST_LINES` lines, dated `day`.

    `columns`: column, title, description and unit of each column. `about`: what is said of the table, label and value.
    """
    book = Workbook(write_only=True)
    texts = pl.selectors.string()
    # what no cell may hold goes first: it could hide the beginning of a formula
    printable = frame.with_columns(texts.str.replace_all(_NOT_XML, ""))
    shown = neutralised(printable).with_columns(texts.str.slice(0, LONGEST_TEXT))
    first = _sheet(book, name[:31], shown.columns, (), [_width(shown[column]) for column in shown.columns])
    lines = sheet_rows.rows(first, shown, first=2)
    _sheet(book, "Dictionnaire", ("Colonne", "Titre", "Ce qu'elle dit", "Unité"), columns, (30, 34, _WIDEST, 14))
    _sheet(book, "À propos", ("Quoi", "Réponse"), about, (24, _WIDEST))
    return workbook_bytes(book, written=dt.datetime.combine(day, dt.time()), lines=lines)


def _sheet(
    book: Workbook, title: str, header: Sequence[str], rows: Iterable[Sequence[object]], widths: Sequence[int]
) -> WriteOnlyWorksheet:
    sheet: WriteOnlyWorksheet = book.create_sheet(title)
    sheet.freeze_panes = "A2"
    for rank, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(rank)].width = width
    sheet.append([_head(sheet, text) for text in header])
    for row in rows:
        sheet.append(row)
    return sheet


def _head(sheet: WriteOnlyWorksheet, text: str) -> WriteOnlyCell:
    cell = WriteOnlyCell(sheet, text)
    cell.font, cell.alignment = Font(bold=True), Alignment(wrap_text=True, vertical="top")
    return cell


def _width(column: pl.Series) -> int:
    longest = column.cast(pl.String).str.len_chars().max() if column.len() else 0
    return min(max(len(column.name), int(longest) if isinstance(longest, int) else 0) + 2, _WIDEST)
