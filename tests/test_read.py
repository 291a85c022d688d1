"""Readers: every cell keeps its row and column; nothing that can be read is lost; the rest is refused in French."""

from __future__ import annotations

import csv
import io
import zipfile
from typing import TYPE_CHECKING

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.ingest.delimited import find_separator, read_delimited
from pipelines.ingest.encodings import decode
from pipelines.ingest.read import read_file
from pipelines.ingest.sheet import Sheet, UnreadableFileError, column_letter

if TYPE_CHECKING:
    from pathlib import Path

CELLS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=12)
TABLES = st.integers(2, 5).flatmap(lambda width: st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=2))


def rows(sheet: Sheet) -> list[tuple[str, ...]]:
    return [tuple(cell or "" for cell in row[1:]) for row in sheet.cells.iter_rows()]


def workbook(**sheets: list[list[object]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, table in sheets.items():
        sheet = book.create_sheet(name)
        for row in table:
            sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def test_column_letters() -> None:
    assert [column_letter(i) for i in (0, 25, 26, 701, 702)] == ["A", "Z", "AA", "ZZ", "AAA"]


@settings(max_examples=200, deadline=None)
@given(TABLES, st.sampled_from([";", ",", "\t"]))
def test_what_the_csv_module_writes_reads_back(table: list[list[str]], separator: str) -> None:
    header = [f"titre{i}" for i in range(len(table[0]))]
    written = io.StringIO(newline="")
    csv.writer(written, delimiter=separator).writerows([header] * 30 + table)
    assert rows(read_delimited(written.getvalue().encode(), name="x"))[30:] == [tuple(row) for row in table]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "mac_roman"])
def test_encodings(encoding: str) -> None:
    text = "Bénéficiaire;Montant\nÉpicerie « L'Œuvre » d'été à Noël;1 250,50\n"
    assert rows(read_delimited(text.encode(encoding), name="x"))[1] == ("Épicerie « L'Œuvre » d'été à Noël", "1 250,50")


def test_euro_sign_in_cp1252() -> None:
    assert decode("12 500 €".encode("cp1252"))[0] == "12 500 €"


def test_a_line_break_inside_quotes_is_one_record() -> None:
    sheet = read_delimited(b'a;b;c\n1;"deux\nlignes";3\n4;5;6\n', name="x")
    assert rows(sheet) == [("a", "b", "c"), ("1", "deux\nlignes", "3"), ("4", "5", "6")]
    assert sheet.cells["row"].to_list() == [1, 2, 3]
    assert sheet.problems == []


def test_a_quote_left_open_swallows_no_line() -> None:
    sheet = read_delimited(b'a;b;c\n1;projet "special;3\n4;"ouvert;6\n7;8;9\n', name="x")
    assert rows(sheet) == [("a", "b", "c"), ("1", 'projet "special', "3"), ("4", '"ouvert', "6"), ("7", "8", "9")]
    assert [(p.row, p.code) for p in sheet.problems] == [(2, "unbalanced_quote"), (3, "unbalanced_quote")]


def test_a_row_too_long_is_kept_and_said() -> None:
    sheet = read_delimited(b"a;b\n1;2\n3;4;5\n6\n", name="x")
    assert rows(sheet)[2] == ("3", "4", "5")
    assert [(p.row, p.code) for p in sheet.problems] == [(3, "row_length"), (4, "row_length")]


def test_separators() -> None:
    assert find_separator("a;b,c;d\n1;2,5;3\n") == ";"
    assert find_separator("a,b,c\n1,2;3,4\n") == ","
    assert find_separator("a\tb\n1\t2\n") == "\t"


def test_a_sheet_that_starts_away_from_the_corner_keeps_its_coordinates() -> None:
    book = openpyxl.Workbook()
    book.active["C4"] = "nom"
    book.active["D6"] = 1250.5
    content = io.BytesIO()
    book.save(content)
    [sheet] = read_file(content.getvalue(), name="x.xlsx").members[0].sheets
    assert sheet.letters == ["C", "D"]
    assert sheet.cells.row(3) == (4, "nom", None)
    assert sheet.cells.row(5) == (6, None, "1250.5")


def test_hidden_sheets_are_known_as_such() -> None:
    book = openpyxl.Workbook()
    book.active["A1"] = "x"
    book.create_sheet("cachée").sheet_state = "hidden"
    content = io.BytesIO()
    book.save(content)
    assert [s.hidden for s in read_file(content.getvalue(), name="x").members[0].sheets] == [False, True]


def test_an_archive_named_csv_is_opened() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("data/un.csv", "a;b\n1;2\n")
        archive.writestr("lisez-moi.pdf", b"%PDF")
        archive.writestr("__MACOSX/._un.csv", b"\0")
    reading = read_file(content.getvalue(), name="un.csv")
    assert [member.name for member in reading.members] == ["data/un.csv"]
    assert [name for name, _ in reading.left_aside] == ["lisez-moi.pdf"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "vide"),
        (b"  \n\n", "vide"),
        (b"%PDF-1.7", "PDF"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 50, "image"),
        (b"PK\x03\x04 tronque", "abîmé"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "abîmé"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "mot de passe"),
        (bytes(range(32)) * 40, "texte"),
    ],
)
def test_what_cannot_be_read_is_refused_in_french(content: bytes, words: str) -> None:
    with pytest.raises(UnreadableFileError, match=words):
        read_file(content, name="fichier.xlsx")


def test_the_reader_agrees_with_openpyxl(tmp_path: Path) -> None:
    table = [["nom", "montant", "siret"], ["A", 12.5, "01234567890123"], [None, 3, None], ["É", -1, "x"]]
    [sheet] = read_file(workbook(Feuille=table), name="x.xlsx").members[0].sheets
    expected = [tuple("" if cell is None else str(cell) for cell in row) for row in table]
    assert rows(sheet) == expected
