"""Workbooks looked at before the library that reads them opens them: what would make it loop, or ask for all memory.

An xls file is a small file system (compound file), whose chains of sectors may run in circles when it is damaged. A
sheet of an xlsx file is laid out whole in memory, from its first cell to its last: one stray cell in the far corner
asks for seventeen billion. The content of cells is nobody's business here.
"""

from __future__ import annotations

import re
import struct
from itertools import chain
from typing import IO, TYPE_CHECKING

from pipelines.ingest.french import count
from pipelines.ingest.sheet import UnreadableFileError, column_letter

if TYPE_CHECKING:
    import zipfile
DAMAGED = (
    "Le classeur est abîmé ou n'est pas un tableur : il ne s'ouvre pas. "
    "Ouvrez-le dans votre tableur, enregistrez-le à nouveau, puis déposez-le."
)
MOST_BYTES = 2 * 1024**3
"""Bytes of an archive or a workbook, once inflated."""

# ---------------------------------------------------------------- compound files (MS-CFB)
_LAST_SECTOR = 0xFFFFFFF9
_IN_HEADER = 109  # sectors of the allocation table that the header lists
_ENTRY = 128  # bytes of a directory entry
_ROOT = 5
_WORKBOOKS = ("Workbook", "Book")


def check_compound(content: bytes) -> None:
    """Follow the chains of sectors that a reader of this compound file will follow.

    Raises `UnreadableFileError` when one runs in a circle or out of the file, or when the header announces more sectors
    than there are.
    """
    try:
        _follow_all(content)
    except (struct.error, IndexError, ValueError) as error:
        raise UnreadableFileError(DAMAGED) from error


def _follow_all(content: bytes) -> None:
    shift, mini_shift = struct.unpack_from("<HH", content, 30)
    tables, directory = struct.unpack_from("<I", content, 44)[0], struct.unpack_from("<I", content, 48)[0]
    cutoff, mini_start, mini_tables, more_start, more = struct.unpack_from("<IIIII", content, 56)
    if shift not in (9, 12) or mini_shift != 6:  # 512 or 4 096 bytes, cut in 64: there are no others
        raise ValueError("sector size")
    size = 1 << shift
    sectors = -(-len(content) // size)
    if max(tables, mini_tables, more) > sectors:
        raise ValueError("more sectors than bytes")
    listed = list(struct.unpack_from(f"<{_IN_HEADER}I", content, 76))
    for _ in range(more):
        words = _words(content, more_start, size)
        listed += words[:-1]
        more_start = words[-1]
    table = [word for sector in listed[:tables] for word in _words(content, sector, size)]
    entries = b"".join(_sector(content, place, size) for place in _chain(table, directory, sectors))
    mini = [word for place in _chain(table, mini_start, sectors) for word in _words(content, place, size)]
    for place in range(0, len(entries) - _ENTRY + 1, _ENTRY):
        entry = entries[place : place + _ENTRY]
        name = entry[: struct.unpack_from("<H", entry, 64)[0]].decode("utf-16-le", errors="replace").rstrip("\0")
        start, length = struct.unpack_from("<IQ", entry, 116)
        if entry[66] == _ROOT:
            _chain(table, start, sectors)
        elif name in _WORKBOOKS and (length & 0xFFFFFFFF) < cutoff:
            _chain(mini, start, len(mini))
        elif name in _WORKBOOKS:
            _chain(table, start, sectors)


def _sector(content: bytes, number: int, size: int) -> bytes:
    if number > _LAST_SECTOR or (number + 1) * size >= len(content):
        raise ValueError("no such sector")
    return content[(number + 1) * size : (number + 2) * size]


def _words(content: bytes, number: int, size: int) -> tuple[int, ...]:
    found = _sector(content, number, size)
    return struct.unpack(f"<{len(found) // 4}I", found[: len(found) // 4 * 4])


def _chain(table: list[int], start: int, most: int) -> list[int]:
    """The sectors from `start` to the end of its chain. Raises `ValueError` when there is no end."""
    chain: list[int] = []
    while start <= _LAST_SECTOR:
        if len(chain) > most:
            raise ValueError("a circle")
        chain.append(start)
        start = table[start]
    return chain


# ---------------------------------------------------------------- sheets of an xlsx file
_MOST_CELLS = 30_000_000
_MOST_ROWS = 1_048_576
_FEWER_ROWS = 99_999
_BELIEVED = 16_000_000  # bytes of a sheet above which the extent that it states of itself is believed
_HEAD = 4_096
_PIECE = 256 * 1024  # bytes inflated at a time: they stay in the processor's own memory
_ACROSS = 16  # bytes in which a reference holds, and so the end of a piece that is looked at again with the next
_SHEET = re.compile(r"xl/worksheets/[^/]+\.xml", re.IGNORECASE)
_STATED = re.compile(rb"<(?:\w+:)?dimension ref=[\"'](?:[A-Z]+[0-9]+:)?([A-Z]{1,3})([0-9]{1,7})[\"']")
_MANY_ROWS = re.compile(rb" r=[\"'][A-Z]{0,3}[0-9]{6,7}[\"']")
_TWO_LETTERS = re.compile(rb" r=.[A-Z]{2}")  # sought twice as fast as what they are
_CELL = re.compile(rb"<(?:\w+:)?c\s[^>]*?\br=[\"']([A-Z]{1,3})([0-9]{1,7})[\"'][^>]*(?<!/)>")


def check_extents(archive: zipfile.ZipFile) -> None:
    """Refuse a workbook that memory cannot hold: too many bytes, or a sheet whose filled cells lie too far apart.

    Raises `UnreadableFileError`, and what `zipfile` raises on damage. The scan costs a tenth of a reading; a large
    sheet, which cannot but hold many cells, is believed when it states its extent.
    """
    entries = archive.infolist()
    if sum(entry.file_size for entry in entries) > MOST_BYTES:
        raise UnreadableFileError("Le classeur est trop gros pour être ouvert : déposez-le en plusieurs fichiers.")
    for entry in entries:
        if not _SHEET.fullmatch(entry.filename):
            continue
        with archive.open(entry) as file:
            head = file.read(_HEAD)
            stated = _STATED.search(head)
            fits = stated is not None and int(stated[2]) * _position(stated[1]) <= _MOST_CELLS
            if (fits and entry.file_size > _BELIEVED) or not _may_be_wide(head, file):
                continue
        _check_extent(archive.read(entry))


def _may_be_wide(head: bytes, rest: IO[bytes]) -> bool:
    """Whether a sheet has cells in columns that not every row could have: most sheets have none."""
    beyond = re.compile(rb" r=[\"'](?:" + _beyond(_MOST_CELLS // _MOST_ROWS) + rb")[0-9]")
    seen = b""
    for piece in chain([head], iter(lambda: rest.read(_PIECE), b"")):
        text = seen + piece
        if _TWO_LETTERS.search(text) and beyond.search(text):
            return True
        seen = text[-_ACROSS:]
    return False


def _check_extent(xml: bytes) -> None:
    rows = _MOST_ROWS if _MANY_ROWS.search(xml) else _FEWER_ROWS
    if not re.search(rb" r=[\"'](?:" + _beyond(_MOST_CELLS // rows) + rb")[0-9]", xml):
        return
    lowest, widest = 0, 0
    for letters, row in _CELL.findall(xml):  # the cells that hold something: a border is nothing
        lowest, widest = max(lowest, int(row)), max(widest, _position(letters))
    if lowest * widest > _MOST_CELLS:
        raise UnreadableFileError(
            f"Une feuille du classeur s'étend sur {count(lowest, 'ligne')} et jusqu'à la colonne "
            f"{column_letter(widest - 1)} : une case remplie loin du tableau l'étire. Effacez ce qui se trouve au-delà "
            "du tableau (colonnes et lignes entières), enregistrez le classeur, puis déposez-le à nouveau."
        )


def _position(letters: bytes) -> int:
    """The number of a column from its letters: A is 1."""
    number = 0
    for letter in letters:
        number = 26 * number + letter - 64
    return number


def _beyond(width: int) -> bytes:
    """A pattern of the letters of the columns after the first `width` (27 to 701): two letters, or three."""
    letters = column_letter(width - 1)
    first, second = letters[0], letters[1]
    later = [f"{first}[{chr(ord(second) + 1)}-Z]"] if second < "Z" else []
    later += [f"[{chr(ord(first) + 1)}-Z][A-Z]"] if first < "Z" else []
    return "|".join([*later, "[A-Z]{3}"]).encode()
