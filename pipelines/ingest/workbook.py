"""Excel workbooks that we write: text that stays text, sheet names that are allowed.

What a workbook says is decided by `template` and `annotate`; nothing here knows of grants.
"""

from __future__ import annotations

import re
from copy import copy
from typing import TYPE_CHECKING

from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

if TYPE_CHECKING:
    from collections.abc import Collection

    from openpyxl.cell import Cell
    from openpyxl.worksheet.worksheet import Worksheet

LONGEST_TEXT = 32_767
"""Characters that a cell may hold (Excel)."""

_FORMULA_STARTS = ("=", "+", "-", "@")
_NOT_XML = re.compile("[\ufffe\uffff\ud800-\udfff]")
_NOT_IN_TITLES = re.compile(r"[\[\]:*?/\\]")
_LONGEST_TITLE = 31


def put_text(cell: Cell, text: str, *, like: Cell | None = None) -> None:
    """Write `text` as text, whatever it looks like: what starts as a formula would is marked as a quoted text.

    `like`: a cell of the same workbook whose look is taken over.
    """
    if like is not None:
        cell._style = copy(like._style)
    shown = _NOT_XML.sub("", ILLEGAL_CHARACTERS_RE.sub("", text))[:LONGEST_TEXT]
    cell.value = shown
    cell.data_type = "s"
    quote(cell)


def quote(cell: Cell) -> None:
    """Mark a text that starts as a formula would, so that a spreadsheet keeps it a text when it is edited."""
    if isinstance(cell.value, str) and cell.value.startswith(_FORMULA_STARTS):
        cell.quotePrefix = True


def sheet_title(wanted: str, taken: Collection[str]) -> str:
    """The nearest title to `wanted` that a spreadsheet accepts and that is not in `taken` (case does not count)."""
    clean = _NOT_IN_TITLES.sub(" ", ILLEGAL_CHARACTERS_RE.sub("", wanted)).strip(" '")[:_LONGEST_TITLE].strip(" '")
    clean, known = clean or "Feuille", {title.casefold() for title in taken}
    title, rank = clean, 1
    while title.casefold() in known:
        rank += 1
        title = f"{clean[: _LONGEST_TITLE - len(f' ({rank})')]} ({rank})"
    return title


def quote_title(title: str) -> str:
    """A sheet's title as it stands in a reference: `L'an 1` → `'L''an 1'`."""
    return "'" + title.replace("'", "''") + "'"


def fit_to_width(sheet: Worksheet) -> None:
    """On paper: landscape, as wide as one page."""
    sheet.page_setup.orientation, sheet.page_setup.fitToHeight = "landscape", 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
