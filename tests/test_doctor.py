"""What `qfq doctor` says of a project, and that the next run does what it says."""

from __future__ import annotations

import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.defs.terminal import run_main_job
from pipelines.doctor import examine
from pipelines.ingest import seal
from pipelines.ingest.inbox import ingest
from pipelines.ingest.ledger import Ledger
from pipelines.ingest.manifest import write_manifest
from pipelines.ingest.restaging import cost
from pipelines.publish.site import publish
from pipelines.warehouse.build import build
from pipelines.warehouse.current import load_inputs
from pipelines.warehouse.disclosure import publish_database
from schemas.publication import load_publication
from tests.project_state import differences, state

if TYPE_CHECKING:
    from collections.abc import Callable

DEPOSITOR = "exemple-agence"
QFQ = Path(sys.executable).with_name("qfq")


def qfq(root: Path, command: str, *more: str) -> subprocess.CompletedProcess[str]:
    folders = [word for name in ("raw", "warehouse", "reports") for word in (f"--{name}", str(root / name))]
    return subprocess.run([QFQ, command, *folders, *more], capture_output=True, text=True, check=False)


def run(root: Path) -> None:
    folders = {name: root / name for name in ("raw", "warehouse", "reports")}
    assert run_main_job(**folders, as_of=date(2026, 9, 30)) == 0


def found(root: Path) -> set[tuple[str, bool]]:
    """Parts with something amiss, and whether the next run repairs it."""
    findings = examine(raw=root / "raw", warehouse=root / "warehouse", reports=root / "reports")
    return {(finding.part, finding.is_repaired) for finding in findings}


def flip(path: Path) -> None:
    """One byte in the middle is another: a failing disk."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)


def unfinished(ledger: Path) -> None:
    with Ledger(ledger) as kept:
        kept.start_run(date(2026, 9, 30), datetime(2026, 9, 30, 12, tzinfo=UTC))


@pytest.fixture(scope="module")
def sound(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project brought to its pages step by step; a whole run gives the same again."""
    root = tmp_path_factory.mktemp("sain")
    raw, warehouse, day = root / "raw", root / "warehouse", date(2026, 9, 30)
    shutil.copytree(project / "raw" / DEPOSITOR, raw / DEPOSITOR, ignore=shutil.ignore_patterns("_*"))
    write_manifest(ingest(raw, warehouse, as_of=day), raw=raw, warehouse=warehouse)
    funding, public = warehouse / "funding.duckdb", warehouse / "public.duckdb"
    build(load_inputs(warehouse, as_of=day), funding)
    publish_database(funding, public, as_of=day, parameters=load_publication())
    publish(public, root / "reports")
    return root


@pytest.fixture
def ill(sound: Path, tmp_path: Path) -> Path:
    shutil.copytree(sound, tmp_path / "malade")
    return tmp_path / "malade"


def test_a_sound_project_has_nothing_amiss(sound: Path) -> None:
    answer = qfq(sound, "doctor")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "Rien à signaler" in answer.stdout


def test_what_was_damaged_is_said_and_the_next_run_makes_it_again(sound: Path, ill: Path) -> None:
    warehouse, reports = ill / "warehouse", ill / "reports"
    for path in (warehouse / "deposits").iterdir():
        flip(path)
    for path in (warehouse / "staging").glob("*/accepted.parquet"):
        flip(path)
    for name in ("funding", "public"):
        path = warehouse / f"{name}.duckdb"
        content = path.read_bytes()
        path.write_bytes(content[:8192] + bytes(len(content) - 8192))
    (warehouse / "current.json").write_text("{", encoding="utf-8")
    (warehouse / "funding.duckdb.made-from").write_bytes(b"\xff\xfe")
    for path in (warehouse / "twins").iterdir():
        flip(path)
    (reports / "manifest" / "published.txt").write_bytes(b"\xff\xfe")
    (reports / "refus.html.tmp").write_bytes(b"<html")
    flip(reports / "refus.html")
    (reports / "index.html").unlink()
    (reports / "manifest" / "themes.json").write_text("", encoding="utf-8")
    assert found(ill) == {
        ("copies privées", True),
        ("lectures", True),
        ("bases", True),
        ("liste des dépôts en cours", True),
        ("pages", True),
    }
    answer = qfq(ill, "doctor")
    assert answer.returncode == 1
    assert "Traceback" not in answer.stdout + answer.stderr
    run(ill)
    assert found(ill) == set()
    assert differences(state(ill), state(sound)) == {}


@pytest.mark.parametrize(
    ("damage", "expected"),
    [
        (lambda root: [path.unlink() for path in (root / "raw").rglob("*.*")], set()),
        (lambda root: [path.unlink() for path in (root / "warehouse/deposits").iterdir()], {("copies privées", True)}),
        (
            lambda root: [path.unlink() for name in ("raw/exemple-agence", "warehouse/deposits")
                          for path in (root / name).iterdir() if path.is_file()],
            {("copies privées", False)},
        ),
        (lambda root: (root / "warehouse/staging/.half").mkdir(), {("lectures", True)}),
        (lambda root: (root / "warehouse/ledger.sqlite").write_bytes(b"SQLite format 3\0" + bytes(4000)),
         {("registre", False)}),
        (lambda root: (root / "warehouse/ledger.sqlite").unlink(), {("registre", False)}),
        (lambda root: [flip(path) for path in (root / "warehouse/publications").rglob("*.parquet")],
         {("publications passées", False)}),
        (lambda root: [path.unlink() for path in (root / "warehouse/publications").rglob("*.parquet")],
         {("publications passées", False)}),
        (lambda root: [flip(path) for path in (root / "warehouse/twins").iterdir()],
         {("liste des dépôts en cours", True)}),
        (lambda root: (root / "reports/index.html.tmp").touch(), {("pages", True)}),
        (lambda root: unfinished(root / "warehouse/ledger.sqlite"), {("registre", True)}),
    ],
    ids=["raw emptied", "copies gone", "copies and files gone", "half a staging", "ledger", "no ledger",
         "memory changed", "memory gone", "twins", "half a page", "interrupted"],
)  # fmt: skip
def test_what_is_repaired_and_what_is_not(
    ill: Path, damage: Callable[[Path], object], expected: set[tuple[str, bool]]
) -> None:
    damage(ill)
    assert found(ill) == expected


def test_a_ledger_that_is_no_database_is_an_answer_not_a_traceback(ill: Path) -> None:
    for path in (ill / "warehouse").glob("ledger.sqlite*"):
        path.unlink()
    (ill / "warehouse" / "ledger.sqlite").write_bytes(b"not a database" * 400)
    answer = qfq(ill, "doctor")
    assert answer.returncode == 1
    assert re.search(r"Le\s+registre", answer.stdout)
    assert "Traceback" not in answer.stdout + answer.stderr


def test_who_looks_changes_nothing_not_even_a_ledger_of_an_older_version(ill: Path) -> None:
    ledger = ill / "warehouse" / "ledger.sqlite"
    with closing(sqlite3.connect(ledger)) as connection:
        connection.executescript("DROP TABLE removals; PRAGMA journal_mode = DELETE;")
    before = {path: path.read_bytes() for path in sorted((ill / "warehouse").rglob("*")) if path.is_file()}
    assert found(ill) == set()
    assert cost(ill / "raw", ill / "warehouse").n_new == 0
    assert {path: path.read_bytes() for path in sorted((ill / "warehouse").rglob("*")) if path.is_file()} == before


def test_an_empty_place_has_nothing_amiss(tmp_path: Path) -> None:
    assert found(tmp_path) == set()


def test_a_seal_knows_a_changed_a_missing_and_an_added_file(tmp_path: Path) -> None:
    folder = tmp_path / "staging" / "abc"
    folder.mkdir(parents=True)
    (folder / "report.json").write_text("{}")
    assert seal.is_whole(folder), "of a version that wrote no seal"
    (folder / "accepted.parquet").write_bytes(b"lines")
    seal.seal(folder)
    (folder / "scdl.csv").write_bytes(b"made later")
    assert seal.is_whole(folder)
    (folder / "accepted.parquet").write_bytes(b"Lines")
    assert not seal.is_whole(folder)
    (folder / "accepted.parquet").unlink()
    assert seal.drop_damaged(tmp_path / "staging") == ["abc"]
    assert not folder.exists()
