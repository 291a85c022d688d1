"""The lines of a frame as the rows of a worksheet (OOXML), column by column.

The library that writes the workbook makes an object and a tree of each cell, ten times the time of all the rest. What
it would write is written here, byte for byte (the tests hold the two equal), but for texts such as `#N/A`: they stay
texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import polars as pl
from openpyxl.cell import WriteOnlyCell
from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import to_excel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openpyxl.worksheet._write_only import WriteOnlyWorksheet


def rows(sheet: WriteOnlyWorksheet, frame: pl.DataFrame, *, first: int) -> bytes:
    """Every line of `frame` as a `row` element, the first one numbered `first`; an absence has no cell.

    `sheet` is where they go: its workbook learns the style of dates.
    """
    columns = [_cells(sheet, get_column_letter(rank), series, first) for rank, series in enumerate(frame, start=1)]
    lines = map("".join, zip(*columns, strict=True))
    return "".join([f'<row r="{number}">{line}</row>' for number, line in enumerate(lines, start=first)]).encode()


def _cells(sheet: WriteOnlyWorksheet, letter: str, series: pl.Series, first: int) -> Iterator[str]:
    """The cells of one column; an empty text for an absence. Raises `TypeError` for what no cell holds."""
    values = enumerate(series.to_list(), start=first)
    if series.dtype == pl.String:
        return (_text(f"{letter}{row}", value) for row, value in values)
    if series.dtype.is_temporal():
        known = series.drop_nulls()
        style = WriteOnlyCell(sheet, known[0]).style_id if len(known) else 0
        return (_number(f"{letter}{row}", value, f' s="{style}" t="n"', to_excel) for row, value in values)
    if series.dtype == pl.Boolean:
        return (_number(f"{letter}{row}", value, ' t="b"', int) for row, value in values)
    if series.dtype.is_numeric():
        return (_number(f"{letter}{row}", value, ' t="n"', float) for row, value in values)
    raise TypeError(f"{series.name}: {series.dtype}")


def _text(place: str, value: str | None) -> str:
    if value is None:
        return ""
    if not value:
        return f'<c r="{place}" t="inlineStr" />'
    bare = value.strip()
    space = ' xml:space="preserve"' if bare and bare != value else ""
    return f'<c r="{place}" t="inlineStr"><is><t{space}>{escape(value)}</t></is></c>'


def _number(place: str, value: Any, attributes: str, as_number: Any) -> str:
    return "" if value is None else f'<c r="{place}"{attributes}><v>{as_number(value):.16g}</v></c>'
