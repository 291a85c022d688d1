"""Excel files with the same bytes at every run, whatever the wing that writes them: no present, no machine in them."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openpyxl import Workbook

WRITTEN = datetime(2026, 1, 1)
"""The date that workbooks without one of their own bear: equal inputs give equal bytes."""
AUTHOR = "Qui finance quoi"
FIRST_SHEET, END_OF_LINES = "xl/worksheets/sheet1.xml", b"</sheetData>"


def workbook_bytes(book: Workbook, *, written: datetime = WRITTEN, lines: bytes = b"") -> bytes:
    """The workbook as an xlsx file whose entries and properties bear the date `written`.

    `lines`: `row` elements that the first sheet has below its own.
    """
    book.properties.creator, book.properties.created, book.properties.lastModifiedBy = AUTHOR, written, None
    out = io.BytesIO()
    book.save(out)
    stamp = f"{written:%Y-%m-%dT%H:%M:%SZ}".encode()
    fixed = io.BytesIO()
    with zipfile.ZipFile(out) as origin, zipfile.ZipFile(fixed, "w") as archive:
        for entry in origin.infolist():
            data = origin.read(entry)
            if entry.filename == "docProps/core.xml":
                data = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>" + stamp, data)
            if entry.filename == FIRST_SHEET:
                data = data.replace(END_OF_LINES, lines + END_OF_LINES, 1)
            same = zipfile.ZipInfo(entry.filename, date_time=written.timetuple()[:6])
            same.compress_type, same.create_system, same.external_attr = zipfile.ZIP_DEFLATED, 3, 0o644 << 16
            archive.writestr(same, data)
    return fixed.getvalue()
