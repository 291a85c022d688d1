"""The mark that an annotated copy carries: which deposit it was made from, as custom document properties.

Excel and LibreOffice keep these properties when the copy is corrected and saved, as xlsx, ods or xls.
"""

from __future__ import annotations

import io
import re
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

from openpyxl.packaging.custom import StringProperty

if TYPE_CHECKING:
    from openpyxl import Workbook

_ORIGIN = "qfq_origin_sha256"
_EXTRACT = "qfq_extract"
_OLE = b"\xd0\xcf\x11\xe0"
_PLACES = ("docProps/custom.xml", "meta.xml")
_MOST_BYTES = 1 << 20
_VALUE = r"""name=["']{name}["'][^>]*>\s*(?:<vt:\w+>)?\s*({value})\b"""


@dataclass(frozen=True)
class Mark:
    """Where a copy comes from: the sha256 of its origin. `is_extract`: it holds only some of the origin's lines."""

    sha256: str
    is_extract: bool = False


def put_mark(book: Workbook, mark: Mark) -> None:
    """Write the mark into a workbook, in the place of whatever custom properties it has."""
    book.custom_doc_props.props = [StringProperty(name=_ORIGIN, value=mark.sha256)]
    if mark.is_extract:
        book.custom_doc_props.append(StringProperty(name=_EXTRACT, value="true"))


def origin_of(content: bytes) -> Mark | None:
    """The mark of a workbook (xlsx, ods, xls); None when it has none, or is no workbook."""
    if content.startswith(_OLE):
        old = re.search(rb"%b.{0,300}?([0-9a-f]{64})" % _ORIGIN.encode(), content, re.DOTALL)
        return Mark(old[1].decode(), is_extract=_EXTRACT.encode() in content) if old else None
    if not content.startswith(b"PK"):
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            texts = [_text(archive, name) for name in _PLACES if name in archive.namelist()]
    except (zipfile.BadZipFile, EOFError, NotImplementedError, OSError, RuntimeError, ValueError):
        return None  # whatever is wrong with the file, its reader says it
    for text in texts:
        found = re.search(_VALUE.format(name=_ORIGIN, value="[0-9a-f]{64}"), text)
        if found:
            return Mark(found[1], is_extract=bool(re.search(_VALUE.format(name=_EXTRACT, value="true"), text)))
    return None


def _text(archive: zipfile.ZipFile, name: str) -> str:
    with archive.open(name) as file:
        return file.read(_MOST_BYTES).decode("utf-8", "replace")
