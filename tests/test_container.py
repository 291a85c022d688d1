"""Workbooks that would make the library that reads them loop, or ask for all memory: refused, and the reason said."""

from __future__ import annotations

import io
import re
import struct
import time
import zipfile

import openpyxl
import pytest
import xlwt
from openpyxl.styles import PatternFill

from pipelines.ingest import container, read
from pipelines.ingest.read import read_file
from pipelines.ingest.sheet import UnreadableFileError

END = 0xFFFFFFFE
DIRECTORY, TABLES, MINI_TABLES, MORE = 48, 44, 64, 72  # places of the header


def xls() -> bytearray:
    book = xlwt.Workbook()
    page = book.add_sheet("Liste")
    for row in range(200):
        page.write(row, 0, f"Association {row}")
    stream = io.BytesIO()
    book.save(stream)
    return bytearray(stream.getvalue())


def xlsx(*cells: str, formatted: str | None = None) -> bytes:
    book = openpyxl.Workbook()
    book.active.append(["Association", "Montant"])
    for cell in cells:
        book.active[cell] = "x"
    if formatted is not None:
        book.active[formatted].fill = PatternFill("solid", fgColor="FFFF00")
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def refused(content: bytes, name: str = "x.xls") -> str:
    began = time.process_time()
    with pytest.raises(UnreadableFileError) as told:
        read_file(content, name=name)
    assert time.process_time() - began < 5
    return str(told.value)


def table_of(content: bytearray) -> int:
    """Where the first allocation table stands."""
    return 512 * (1 + struct.unpack_from("<I", content, 76)[0])


def test_a_sound_workbook_is_read() -> None:
    [member] = read_file(bytes(xls()), name="x.xls").members
    assert member.sheets[0].cells.height == 200


def test_a_chain_that_runs_in_a_circle_is_not_followed_for_ever() -> None:
    content = xls()
    directory = struct.unpack_from("<I", content, DIRECTORY)[0]
    struct.pack_into("<I", content, table_of(content) + 4 * directory, directory)
    assert "abîmé" in refused(bytes(content))


def test_a_chain_of_the_cells_that_runs_in_a_circle() -> None:
    content = xls()
    struct.pack_into("<II", content, table_of(content), 1, 0)
    assert "abîmé" in refused(bytes(content))


@pytest.mark.parametrize("place", [TABLES, MINI_TABLES, MORE])
def test_more_sectors_announced_than_there_are_bytes(place: int) -> None:
    content = xls()
    struct.pack_into("<I", content, place, 0x7FFFFFFF)
    assert "abîmé" in refused(bytes(content))


@pytest.mark.parametrize("keep", [9, 40, 511, 700])
def test_a_compound_file_cut_short(keep: int) -> None:
    assert "abîmé" in refused(bytes(xls()[:keep]))


@pytest.mark.parametrize("cell", ["XFD1048576", "XFD20000", "BA1048576"])
def test_a_stray_cell_far_away_is_named(cell: str) -> None:
    letters = re.match("[A-Z]+", cell)
    assert letters is not None
    assert f"colonne {letters[0]} " in refused(xlsx(cell), "x.xlsx")


def test_the_extent_that_a_sheet_states_is_not_believed() -> None:
    with zipfile.ZipFile(io.BytesIO(xlsx("XFD1048576"))) as origin:
        parts = {info.filename: origin.read(info) for info in origin.infolist()}
    sheet = parts["xl/worksheets/sheet1.xml"]
    parts["xl/worksheets/sheet1.xml"] = re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1:B2"', sheet)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as out:
        for name, body in parts.items():
            out.writestr(name, body)
    assert "colonne XFD" in refused(stream.getvalue(), "x.xlsx")


def test_a_defect_of_the_library_does_not_stop_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a library in Rust raises when it meets a case that it did not foresee is no `Exception`."""
    panic = type("PanicException", (BaseException,), {})

    def fails(_: bytes) -> None:
        raise panic("range end index 64 out of range for slice of length 26")

    monkeypatch.setattr(read.fastexcel, "read_excel", fails)
    assert "abîmé" in refused(bytes(xls()))
    monkeypatch.setattr(read.fastexcel, "read_excel", lambda _: (_ for _ in ()).throw(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        read_file(bytes(xls()), name="x.xls")


@pytest.mark.parametrize("cell", ["B90000", "KM3", "XFD2"])
def test_what_memory_holds_is_read(cell: str) -> None:
    [member] = read_file(xlsx(cell), name="x.xlsx").members
    assert member.sheets[0].cells.height == int(re.sub("[A-Z]", "", cell))


def test_a_far_cell_that_is_only_coloured_is_nothing() -> None:
    [member] = read_file(xlsx(formatted="XFD1048576"), name="x.xlsx").members
    assert member.sheets[0].cells.height == 1


@pytest.mark.parametrize("piece", [1, 7, 50, 1000])
def test_a_far_cell_is_seen_wherever_a_piece_of_the_sheet_ends(piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "_HEAD", 100)
    monkeypatch.setattr(container, "_PIECE", piece)
    assert "colonne BA" in refused(xlsx("BA1048576"), "x.xlsx")
    [member] = read_file(xlsx("AB90000"), name="x.xlsx").members
    assert member.sheets[0].cells.height == 90_000
