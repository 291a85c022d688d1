"""What files are made of: several encodings, text encoded twice, compressed files, records instead of rows."""

from __future__ import annotations

import gzip
import io
import json

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.ingest.check import check_file
from pipelines.ingest.encodings import decode, decoded_once, pieces
from pipelines.ingest.normalise import Origin
from pipelines.ingest.read import read_file
from pipelines.ingest.recognise import find_header
from pipelines.ingest.sheet import Sheet, UnreadableFileError
from pipelines.ingest.spill import repair_spilled
from schemas.format import load_formats
from schemas.funder import FunderFile

FRENCH = st.text("abc éèêëàâçîïôöùûüœæÉÈÊËÀÂÇÎÏÔÖÙÛÜŒÆ’«»€°–…0123 ", min_size=1, max_size=30)


def rows(content: bytes, *, name: str = "x.csv") -> list[tuple[str, ...]]:
    [member] = read_file(content, name=name).members
    return [tuple(cell or "" for cell in row[1:]) for row in member.sheets[0].cells.iter_rows()]


def test_a_mark_of_utf8_followed_by_another_encoding() -> None:
    text, encoding = decode(b"\xef\xbb\xbf" + "Épicerie d'été;1 €\n".encode("cp1252"))
    assert (text, encoding) == ("Épicerie d'été;1 €\n", "cp1252")


@given(st.text("aé\n", max_size=40), st.integers(0, 10))
def test_the_pieces_of_a_text_are_whole_lines(text: str, size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.ingest.encodings._PIECE", size)
        parts = list(pieces(text.encode()))
    assert b"".join(parts) == text.encode()
    assert all(part.endswith(b"\n") for part in parts[:-1]) and all(parts)


def test_two_encodings_in_one_file() -> None:
    content = "Bénéficiaire;Montant\n".encode() + "Épicerie;1 €\n".encode("cp1252") + "Goûter;2 €\n".encode()
    assert rows(content) == [("Bénéficiaire", "Montant"), ("Épicerie", "1 €"), ("Goûter", "2 €")]
    [member] = read_file(content, name="x").members
    assert "1 lignes" in member.sheets[0].notes[0]


@settings(max_examples=200, deadline=None)
@given(FRENCH)
def test_what_was_encoded_twice_reads_back(text: str) -> None:
    twice = "".join(
        bytes([byte]).decode("cp1252") if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D) else chr(byte)
        for byte in text.encode()
    )
    assert decoded_once(twice) == text


@settings(max_examples=200, deadline=None)
@given(st.text("abcé èàçôœ'’«»€0123 -ÉÀ", max_size=30))
def test_what_was_encoded_once_is_left_alone(text: str) -> None:
    assert decoded_once(text) == text


def test_text_encoded_twice_is_repaired_and_said() -> None:
    content = "nomAttribuant;dateConvention;nomBeneficiaire;montant\nVille;2021-01-05;CrÃ¨che de lâ€™Å’uvre;5\n"
    outcome = check_file(content.encode(), Origin("d", "dossier", "x.csv", FunderFile()))
    assert outcome.accepted["applicant_name"].to_list() == ["Crèche de l’Œuvre"]
    assert "encodées deux fois" in outcome.report.sheets[0].reason


def test_a_burnt_in_replacement_character_is_said_to_be_lost() -> None:
    content = "nomAttribuant;dateConvention;nomBeneficiaire;montant\nVille;2021-01-05;Cr\ufffdche;5\n"
    outcome = check_file(content.encode(), Origin("d", "dossier", "x.csv", FunderFile()))
    [issue] = outcome.report.issues
    assert (issue.code, issue.row, issue.column, issue.severity) == ("character_lost", 2, "C", "warning")
    assert outcome.report.rows_accepted == 1


def test_records_become_rows() -> None:
    records = {
        "licence": "x",
        "grants": [
            {"id": "1", "amount": 15000, "org": [{"name": "A"}], "tags": ["x", "y"], "open": True, "none": None},
            {"id": "2", "amount": 1500.5, "org": [{"name": "B"}, {"name": "C"}], "where": {"code": "01"}},
        ],
    }
    assert rows(json.dumps(records).encode(), name="x.json") == [
        ("id", "amount", "org.name", "tags", "open", "org.2.name", "where.code"),
        ("1", "15000", "A", "x ; y", "oui", "", ""),
        ("2", "1500.5", "B", "", "", "C", "01"),
    ]
    assert rows(json.dumps(records["grants"]).encode())[1][0] == "1"


@pytest.mark.parametrize(
    ("body", "words"), [('{"$schema": "x", "fields": [{"name": "a"}]}', "schéma"), ('{"a": 1}', "enregistrements")]
)
def test_json_without_records_is_refused(body: str, words: str) -> None:
    with pytest.raises(UnreadableFileError, match=words):
        read_file(body.encode(), name="x.json")


def test_gzip_and_parquet() -> None:
    assert rows(gzip.compress(b"a;b\n1;2\n"), name="x.csv.gz") == [("a", "b"), ("1", "2")]
    content = io.BytesIO()
    pl.DataFrame({"nom": ["A", None], "montant": [1.5, 2.0], "année": [2021, 2022]}).write_parquet(content)
    assert rows(content.getvalue(), name="x.parquet") == [
        ("nom", "montant", "année"), ("A", "1.5", "2021"), ("", "2.0", "2022"),
    ]  # fmt: skip
    for damaged in (gzip.compress(b"a;b\n1;2\n" * 500)[:30], content.getvalue()[:40]):
        with pytest.raises(UnreadableFileError, match="abîmé"):
            read_file(damaged, name="x")


def test_archives_in_archives_come_to_an_end() -> None:
    content = b"a;b\n1;2\n"
    for _ in range(3):
        content = gzip.compress(content)
    assert rows(content) == [("a", "b"), ("1", "2")]
    for _ in range(3):
        content = gzip.compress(content)
    with pytest.raises(UnreadableFileError, match="archives"):
        read_file(content, name="x.gz")


CELL = st.text("abcé dfg", min_size=1, max_size=8).map(str.strip).filter(bool)
WORDS = st.lists(CELL, min_size=1, max_size=3).map(", ".join)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(CELL, WORDS, st.integers(0, 10**7), st.integers(0, 99), WORDS), min_size=1, max_size=5))
def test_a_row_put_back_is_never_put_back_wrong(lines: list[tuple[str, str, int, int, str]]) -> None:
    """Whatever commas its texts hold, a row is either exactly what was written or left out with a reason."""
    titles = ["nomAttribuant", "dateConvention", "nomBeneficiaire", "objet", "montant", "conditionsVersement",
              "notificationUE"]  # fmt: skip
    written = [
        ["Ville", "2021-01-05", name, title, f"{euros:,}".replace(",", " ") + f",{cents:02}", conditions, "non"]
        for name, title, euros, cents, conditions in lines
    ]
    text = "\n".join(",".join(cells) for cells in [[*titles, "", "", "", "", "", ""], *written]) + "\n"
    [member] = read_file(text.encode(), name="x.csv").members
    sheet: Sheet = member.sheets[0]
    header = find_header(sheet, load_formats())
    assert header is not None
    rows, problems = repair_spilled(header, sheet.cells.filter(pl.col("row") > 1))
    repaired = {problem.row for problem in problems if problem.code == "cells_rejoined"}
    for number, *cells in rows.iter_rows():
        if number in repaired:
            assert [cell or "" for cell in cells[: len(titles)]] == written[number - 2]
