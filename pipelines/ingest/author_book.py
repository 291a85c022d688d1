"""The author's sheets as an openpyxl workbook to write in: with their look for xlsx, their cells as text otherwise.

Formulas become their results, and a text that looks like a formula is marked as a text. What openpyxl cannot keep is
dropped here, and named.
"""

from __future__ import annotations

import io
import re
import warnings
import zipfile
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

import polars as pl
from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import Cell
from openpyxl.comments import Comment
from openpyxl.styles import Font, PatternFill

from pipelines.ingest.own_sheets import is_own
from pipelines.ingest.workbook import put_text, quote, sheet_title
from pipelines.workbook_file import AUTHOR

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

    from pipelines.ingest.sheet import Sheet

COLOURS = {"error": "FFF3A5A5", "warning": "FFFFD88A", "info": "FFBBDDF6"}
"""Fill of a cell by the severity of its worst problem."""
SIGNATURE = f"{AUTHOR} : "
"""How our comments begin."""

_MOST_XML = 20 << 20  # bytes of sheets, strings and styles beyond which openpyxl would take too long
_XML = ("xl/worksheets/", "xl/sharedStrings", "xl/styles", "xl/comments")
_LOST_PARTS = {
    "xl/vbaProject": "les macros",
    "xl/pivotTables/": "les tableaux croisés dynamiques (leurs valeurs restent)",
    "xl/charts/": "les graphiques",
    "xl/chartsheets/": "les feuilles de graphique",
    "xl/media/": "les images",
    "xl/threadedComments/": "les fils de discussion",
    "xl/externalLinks/": "les liens vers d'autres classeurs",
    "xl/connections": "les connexions à des données",
    "xl/queryTables/": "les requêtes",
    "xl/slicers/": "les segments",
    "xl/ctrlProps/": "les boutons et les cases à cocher",
    "xl/activeX/": "les contrôles",
}
_FORMULAS = "les formules (leurs résultats restent)"
_LOST_EXTENSIONS = {
    "Data Validation": "certaines listes déroulantes",
    "Conditional Formatting": "certaines mises en forme conditionnelles",
    "Slicer": "les segments",
}
_OUTER_NAME = re.compile(r"\[\d+\]|#REF!")
# openpyxl reads its own idea of the format: a file that other programs open may fail in any of these ways.
_BAD_BOOK = (
    *(ValueError, TypeError, KeyError, AttributeError, IndexError, OSError, EOFError, RuntimeError, ParseError),
    *(zipfile.BadZipFile, zlib.error),
)


@dataclass
class AuthorBook:
    """The workbook; where each sheet of the report is in it (name → sheet); what could not be kept (French).

    `moved`: sheet, row of the file → its row in the workbook, for an extract; empty where rows did not move.
    """

    book: Workbook
    sheets: dict[str, Worksheet]
    lost: list[str] = field(default_factory=list)
    moved: dict[tuple[str, int], int] | None = None

    def row_of(self, sheet: str, row: int) -> int | None:
        """The row of the workbook that shows this row of the file; None when the extract left it out."""
        return row if self.moved is None else self.moved.get((sheet, row))


def styled_book(content: bytes, needed: set[str]) -> AuthorBook | None:
    """An xlsx workbook with its look; None for another format, or one that cannot be kept so.

    `needed` names the sheets that must be found in it.
    """
    if not content.startswith(b"PK"):
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if sum(e.file_size for e in entries if e.filename.startswith(_XML)) > _MOST_XML:
                return None
            if not any(entry.filename == "xl/workbook.xml" for entry in entries):
                return None
            lost = _lost_parts(archive)
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            book = load_workbook(io.BytesIO(content), data_only=True, keep_links=False)
    except _BAD_BOOK:
        return None
    lost += [what for word, what in _LOST_EXTENSIONS.items() if any(word in str(t.message) for t in told)]
    _drop_what_breaks(book)
    ours = [sheet for sheet in book.worksheets if is_own(sheet["A1"].value)]
    for sheet in ours:
        book.remove(sheet)
    for sheet in book.worksheets:
        sheet.sheet_view.tabSelected = False
        for cell in list(sheet._cells.values()):
            quote(cell)
            if ours:
                _unmark(cell)
    sheets = {sheet.title: sheet for sheet in book.worksheets}
    return AuthorBook(book, sheets, list(dict.fromkeys(lost))) if needed <= set(sheets) else None


def _lost_parts(archive: zipfile.ZipFile) -> list[str]:
    names = archive.namelist()
    lost = [what for start, what in _LOST_PARTS.items() if any(name.startswith(start) for name in names)]
    sheets = (name for name in names if name.startswith("xl/worksheets/sheet"))
    if any(re.search(rb"<f[ >/]", archive.read(name)) for name in sheets):
        lost.append(_FORMULAS)
    return lost


def _drop_what_breaks(book: Workbook) -> None:
    """What would be written back half, and make the copy look damaged."""
    book.template = False
    for sheet in book.chartsheets:
        book.remove(sheet)
    for holder in (book, *book.worksheets):
        for name in [name for name, place in holder.defined_names.items() if _OUTER_NAME.search(place.attr_text or "")]:
            del holder.defined_names[name]
    for sheet in book.worksheets:
        sheet._charts, sheet._images, sheet._pivots = [], [], []
        for name in [name for name, table in sheet.tables.items() if table.tableType == "queryTable"]:
            del sheet.tables[name]


def _unmark(cell: Cell) -> None:
    """Take out the colour and the comment of an earlier copy."""
    if cell.fill.fill_type == "solid" and cell.fill.fgColor.rgb in COLOURS.values():
        cell.fill = PatternFill()
    if cell.comment is not None and SIGNATURE in cell.comment.text:
        own = cell.comment.text.split(SIGNATURE)[0].rstrip()
        cell.comment = Comment(own, cell.comment.author) if own else None


def plain_book(sheets: list[Sheet], headers: dict[str, int | None]) -> AuthorBook:
    """The cells as they were read, as text, at their row and column. `headers`: row of the titles, by sheet."""
    book = Workbook()
    book.remove(book.worksheets[0])
    placed = {}
    for sheet in sheets:
        page = book.create_sheet(sheet_title(sheet.name, book.sheetnames))
        page.sheet_state = "hidden" if sheet.hidden else "visible"
        placed[sheet.name] = page
        look = _text_look(page)
        for cells in sheet.cells.iter_rows():
            _write_row(page, cells[0], cells[1:], look)
        _dress(page, headers.get(sheet.name))
    had_look = any(sheet.has_title for sheet in sheets)
    return AuthorBook(book, placed, ["la mise en forme et les formules (tout est écrit comme du texte)"] * had_look)


def extract_book(sheets: list[Sheet], headers: dict[str, int | None], rows: dict[str, set[int]]) -> AuthorBook:
    """The titles and the `rows` of each sheet that has some, with their row in the file in a last column."""
    book = Workbook()
    book.remove(book.worksheets[0])
    moved: dict[tuple[str, int], int] = {}
    extract = AuthorBook(book, {}, ["les lignes sans problème", "la mise en forme"], moved)
    for sheet in (sheet for sheet in sheets if rows.get(sheet.name)):
        page = book.create_sheet(sheet_title(sheet.name, book.sheetnames))
        extract.sheets[sheet.name] = page
        look = _text_look(page)
        header = headers.get(sheet.name) or 0
        kept = sheet.cells.filter((pl.col("row") <= header) | pl.col("row").is_in(sorted(rows[sheet.name])))
        last = len(sheet.letters) + 1
        for place, cells in enumerate(kept.iter_rows(), start=1):
            _write_row(page, place, cells[1:], look)
            if cells[0] == header:
                put_text(page.cell(place, last), "Ligne dans votre fichier")
                _dress(page, place)
            elif cells[0] > header:
                page.cell(place, last).value = cells[0]
            moved[(sheet.name, cells[0])] = place
    return extract


def _text_look(page: Worksheet) -> Cell:
    look = Cell(page, row=1, column=1)
    look.number_format = "@"
    return look


def _write_row(page: Worksheet, row: int, texts: tuple[str | None, ...], look: Cell) -> None:
    for column, text in enumerate(texts, start=1):
        if text is not None:
            put_text(page.cell(row, column), text, like=look)


def _dress(page: Worksheet, header: int | None) -> None:
    """Titles in bold, kept in view; columns wide enough to read."""
    if header is not None:
        page.freeze_panes = f"A{header + 1}"
        for cell in page[header]:
            cell.font = Font(name="Calibri", bold=True)
    for column in page.iter_cols(min_row=header or 1, max_row=header or 1):
        page.column_dimensions[column[0].column_letter].width = 20
