"""Rows of cells to the bytes of a spreadsheet or an archive, the same bytes at every run: fixed dates, no clock."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import xlwt
from odf import number, style, table
from odf import text as odf_text
from odf.opendocument import OpenDocumentSpreadsheet
from openpyxl import Workbook
from openpyxl.styles import Font

from pipelines.demo.layouts import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from pipelines.demo.layouts import Cell, Sheet

WRITTEN = datetime(2026, 1, 1)
COLUMN_WIDTH = 22


def csv_bytes(rows: Iterable[Sequence[Cell]], *, encoding: str = "utf-8", delimiter: str = ",") -> bytes:
    """A delimited text with Windows line ends."""
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode(encoding)


def xlsx_bytes(sheets: Sequence[Sheet]) -> bytes:
    """An xlsx workbook with real dates and numbers; digits kept as text are formatted as text."""
    book = Workbook()
    book.properties.created = WRITTEN
    book.remove(book.worksheets[0])
    for sheet in sheets:
        page = book.create_sheet(sheet.name)
        for row, cells in enumerate((*sheet.banner, *sheet.rows), start=1):
            for column, value in enumerate(cells, start=1):
                if value is None or value == "":
                    continue
                cell = page.cell(row, column, plain(value) if isinstance(value, Decimal) else value)
                if isinstance(value, Decimal):
                    cell.number_format = "#,##0.00"
                elif isinstance(value, date):
                    cell.number_format = "dd/mm/yyyy"
                elif isinstance(value, str) and value.isdigit():
                    cell.number_format = "@"
        header = len(sheet.banner) + 1
        for column in range(1, page.max_column + 1):
            page.cell(header, column).font = Font(bold=sheet.has_header)
            page.column_dimensions[page.cell(header, column).column_letter].width = COLUMN_WIDTH
        if sheet.has_header:
            page.freeze_panes = f"A{header + 1}"
    out = io.BytesIO()
    book.save(out)
    return _same_every_time(out.getvalue())


def xls_bytes(sheets: Sequence[Sheet]) -> bytes:
    """A workbook of Excel 97-2003."""
    book = xlwt.Workbook(encoding="utf-8")
    day = xlwt.easyxf(num_format_str="DD/MM/YYYY")
    for sheet in sheets:
        page = book.add_sheet(sheet.name)
        for row, cells in enumerate((*sheet.banner, *sheet.rows)):
            for column, value in enumerate(cells):
                if isinstance(value, date):
                    page.write(row, column, value, day)
                elif value is not None and value != "":
                    page.write(row, column, value)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def ods_bytes(sheets: Sequence[Sheet]) -> bytes:
    """An OpenDocument spreadsheet with typed cells."""
    document = OpenDocumentSpreadsheet()
    shape = number.DateStyle(name="jour")
    for part in (number.Day(style="long"), number.Text(text="/"), number.Month(style="long"), number.Text(text="/"),
                 number.Year(style="long")):  # fmt: skip
        shape.addElement(part)
    day = style.Style(name="cellule-jour", family="table-cell", datastylename="jour")
    document.automaticstyles.addElement(shape)
    document.automaticstyles.addElement(day)
    for sheet in sheets:
        page = table.Table(name=sheet.name)
        for cells in (*sheet.banner, *sheet.rows):
            line = table.TableRow()
            for value in cells:
                line.addElement(_ods_cell(value, day))
            page.addElement(line)
        document.spreadsheet.addElement(page)
    out = io.BytesIO()
    document.write(out)
    return _same_every_time(out.getvalue())


def zip_bytes(members: Mapping[str, bytes]) -> bytes:
    """An archive of `members`, in their order."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in members.items():
            archive.writestr(_entry(name, zipfile.ZIP_DEFLATED), content)
    return out.getvalue()


def _ods_cell(value: Cell, day: style.Style) -> table.TableCell:
    if value is None or value == "":
        return table.TableCell()
    if isinstance(value, date):
        cell = table.TableCell(valuetype="date", datevalue=value.isoformat(), stylename=day)
        shown = value.strftime("%d/%m/%Y")
    elif isinstance(value, str):
        cell = table.TableCell(valuetype="string")
        shown = value
    else:
        shown = str(plain(Decimal(value)))
        cell = table.TableCell(valuetype="float", value=shown)
    cell.addElement(odf_text.P(text=shown))
    return cell


def _entry(name: str, compression: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, date_time=WRITTEN.timetuple()[:6])
    entry.compress_type = compression
    entry.create_system = 3
    entry.external_attr = 0o644 << 16
    return entry


def _same_every_time(content: bytes) -> bytes:
    """The same office document with the present taken out of its entries and properties."""
    stamp = f"{WRITTEN:%Y-%m-%dT%H:%M:%SZ}".encode()
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as origin, zipfile.ZipFile(out, "w") as archive:
        for entry in origin.infolist():
            data = origin.read(entry)
            if entry.filename == "docProps/core.xml":
                data = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>" + stamp, data)
            archive.writestr(_entry(entry.filename, entry.compress_type), data)
    return out.getvalue()
