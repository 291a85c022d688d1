"""Hostile and damaged files: each ends in a report, in bounded time and memory, never in a crash or a silent skip."""

from __future__ import annotations

import io
import random
import resource
import time
import zipfile
from datetime import date
from typing import TYPE_CHECKING

import openpyxl
import pytest

from pipelines.ingest.check import check_file
from pipelines.ingest.normalise import Origin
from pipelines.ingest.receipt import render
from schemas.funder import FunderFile

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.ingest.report import Report

HEADER = "nomAttribuant;nomBeneficiaire;exerciceBudgetaire;statutLabel;montantDemande;montant;objet"
LINE = "Ville;Association;2024;attribuée;100;50;Colis"
MOST_SECONDS = 30  # of processor: other work on the machine does not count


def check(content: bytes, name: str = "fichier.csv") -> Report:
    started = time.process_time()
    report = check_file(content, Origin("d", "dossier", name, FunderFile())).report
    assert time.process_time() - started < MOST_SECONDS
    assert report.rows_read == report.rows_accepted + report.rows_rejected + report.rows_ignored
    assert report.status == "accepted" or report.messages
    assert "Traceback" not in render(report, as_of=date(2026, 1, 1))
    return report


def archive(**members: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        for name, body in members.items():
            file.writestr(name.replace("__", "/").replace("DOT", "."), body)
    return content.getvalue()


def workbook(rows: list[list[object]]) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def test_a_zip_bomb_is_refused_without_being_inflated() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    content = io.BytesIO()
    block = b"0" * (1 << 24)
    with (
        zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file,
        file.open("a.csv", "w", force_zip64=True) as member,
    ):
        for _ in range(200):
            member.write(block)
    report = check(content.getvalue(), "bombe.zip")
    assert report.status == "refused"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 1_500_000


def test_ten_thousand_columns() -> None:
    header = HEADER + ";" + ";".join(f"colonne {n}" for n in range(10_000))
    report = check(f"{header}\n{LINE}\n".encode())
    assert report.rows_read <= 1


def test_a_million_empty_rows_cost_little() -> None:
    report = check(f"{HEADER}\n{LINE}\n".encode() + b";;;;;;\n" * 1_000_000)
    assert (report.status, report.rows_read) == ("accepted", 1)


def test_an_external_entity_is_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("MOT-DE-PASSE", encoding="utf-8")
    rows = [HEADER.split(";"), LINE.split(";")]
    with zipfile.ZipFile(io.BytesIO(workbook(rows))) as source:
        parts = {info.filename: source.read(info) for info in source.infolist()}
    name = "xl/worksheets/sheet1.xml"
    entity = f'<!DOCTYPE x [<!ENTITY e SYSTEM "file://{secret}">]>'.encode()
    head, _, rest = parts[name].partition(b"<worksheet")
    parts[name] = head + entity + b"<worksheet" + rest.replace(b">2024<", b">&e;<")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for part, body in parts.items():
            file.writestr(part, body)
    report = check(content.getvalue(), "x.xlsx")
    assert "MOT-DE-PASSE" not in report.to_json()


@pytest.mark.parametrize("keep", [30, 200, 1000, 4000])
def test_a_truncated_workbook(keep: int) -> None:
    whole = workbook([HEADER.split(";"), *[LINE.split(";")] * 50])
    assert check(whole[:keep], "x.xlsx").status == "refused"


@pytest.mark.parametrize("kind", ["xls", "png", "pdf", "html", "random", "utf16"])
def test_what_is_not_what_its_name_says(kind: str) -> None:
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
    content = {
        "xls": ole + bytes(2000),
        "png": b"\x89PNG\r\n\x1a\n" + bytes(500),
        "pdf": b"%PDF-1.7\n" + bytes(range(256)) * 10,
        "html": b"<html><body><table><tr><td>a</td></tr></table></body></html>",
        "random": random.Random(1).randbytes(50_000),
        "utf16": "a\nb\n".encode("utf-16-le"),
    }[kind]
    for name in ("x.xlsx", "x.csv"):
        assert check(content, name).status != "accepted"


def test_formulas_markup_and_control_characters_are_text() -> None:
    line = "Ville;=cmd|' /C calc'!A0<script>alert(1)</script>\x07\u202egnitset;2024;attribuée;100;50;@SUM(A1)"
    report = check(f"{HEADER}\n{line}\n".encode())
    assert report.rows_accepted == 1


def test_paths_in_an_archive_lead_nowhere(tmp_path: Path) -> None:
    content = archive(**{"..__..__xDOTcsv": f"{HEADER}\n{LINE}\n".encode(), "__etc__yDOTcsv": b"a;b\n1;2\n"})
    report = check(content, "a.zip")
    assert report.rows_accepted == 1
    assert not (tmp_path.parent / "x.csv").exists()


def test_an_archive_in_an_archive_in_an_archive() -> None:
    inner = archive(aDOTcsv=f"{HEADER}\n{LINE}\n".encode())
    for _ in range(30):
        inner = archive(aDOTzip=inner)
    check(inner, "poupees.zip")


def test_a_password_on_an_archive() -> None:
    content = bytearray(archive(aDOTcsv=f"{HEADER}\n{LINE}\n".encode()))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.find(signature) + offset] |= 1
    report = check(bytes(content), "a.zip")
    assert report.status == "refused"
    assert "mot de passe" in " ".join(report.messages)


@pytest.mark.parametrize("seed", range(25))
def test_mutated_files_never_crash(seed: int) -> None:
    chance = random.Random(seed)
    text = bytearray(f"{HEADER}\n".encode() + f"{LINE}\n".encode() * 30)
    book = bytearray(workbook([HEADER.split(";"), *[LINE.split(";")] * 10]))
    for content in (text, book):
        for _ in range(chance.randrange(1, 40)):
            position = chance.randrange(len(content))
            action = chance.randrange(3)
            if action == 0:
                content[position] = chance.randrange(256)
            elif action == 1:
                del content[position : position + chance.randrange(1, 30)]
            else:
                content[position:position] = chance.choice([b'"', b";", b"\n", b"\xff", b"\0", b"\xe9", b"=1+1", b"\r"])
        check(bytes(content))
