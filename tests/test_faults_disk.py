"""A disk that is full and folders that cannot be written, on small disks that only root can mount."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

import polars as pl
import pytest

from pipelines.defs.terminal import _explained
from pipelines.ingest import health
from pipelines.ingest.restaging import cost
from tests.project_state import differences, ledger, state
from tests.reader import Reader
from tests.test_faults_kill import drop
from tests.test_faults_lock import start
from tests.test_inbox import Project, table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def mount(*words: str) -> None:
    done = subprocess.run(["mount", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")


@contextmanager
def disk(place: Path, *, kilobytes: int) -> Iterator[None]:
    """A disk of this size at `place`, taken away at the end."""
    place.mkdir(parents=True, exist_ok=True)
    mount("-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(place))
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", place], check=True)


@contextmanager
def read_only(place: Path) -> Iterator[None]:
    """`place` cannot be written, not even by root, until the end."""
    mount("--bind", str(place), str(place))
    try:
        mount("-o", "remount,bind,ro", str(place))
        yield
    finally:
        subprocess.run(["umount", place], check=True)


def filled(folder: Path, *, left: int) -> Path:
    """A file that leaves only `left` bytes of the disk of `folder`."""
    filler = folder / "filler"
    status = os.statvfs(folder)
    filler.write_bytes(bytes(max(0, status.f_bavail * status.f_bsize - left)))
    return filler


@pytest.mark.parametrize("left", [0, 8_000, 20_000, 40_000])
def test_a_full_disk_loses_nothing_of_what_was_taken(tmp_path: Path, left: int) -> None:
    with disk(tmp_path / "warehouse", kilobytes=1_000):
        project = Project(tmp_path)
        project.drop("a/f.csv", table(0, 100))
        assert project.counted() == 100
        before = ledger(project.warehouse / "ledger.sqlite")["versions"]
        for name in "bcd":
            project.drop(f"{name}/g.csv", table(200, 900))
        filler = filled(project.warehouse, left=left)
        with pytest.raises((OSError, sqlite3.OperationalError, pl.exceptions.PolarsError)):
            project.run()
        filler.unlink()
        assert ledger(project.warehouse / "ledger.sqlite")["versions"] == before
        assert project.counted() == 100 + 3 * 700
        assert [path for name in ("staging", "deposits") for path in (project.warehouse / name).glob(".*")] == []


def test_a_full_disk_is_told_from_a_broken_one(tmp_path: Path) -> None:
    """Dagster's own database says « disk I/O error » of both."""
    with disk(tmp_path / "warehouse", kilobytes=4_000):
        assert _explained("(sqlite3.OperationalError) disk I/O error", tmp_path / "warehouse").startswith(
            "Le disque ou"
        )
        filled(tmp_path / "warehouse", left=0)
        assert "est plein" in _explained("(sqlite3.OperationalError) disk I/O error", tmp_path / "warehouse")
    assert _explained("autre chose", tmp_path) == "autre chose"


def test_a_folder_that_cannot_be_written_is_read_all_the_same(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.drop("a/f.csv", table(0, 100) + "F;Autre;2024;attribuée;1;beaucoup;x\n")
    with read_only(project.raw):
        done = project.run()
        assert [(d.report.rows_accepted, d.receipt) for d in done.deposits] == [(100, None)]
    done = project.run()
    [kept] = done.deposits
    assert kept.receipt is not None
    assert {path.suffix for path in kept.receipt.parent.iterdir()} >= {".html"}


@pytest.mark.fault
@pytest.mark.parametrize("megabytes", [0, 1, 12, 24])  # a run of this project finds room in forty
def test_a_run_on_a_full_disk_fails_in_french_and_leaves_what_was_published(tmp_path: Path, megabytes: int) -> None:
    calm, full = tmp_path / "calme", tmp_path / "plein"
    with disk(full, kilobytes=400_000):
        for season in (0, 1):
            for root in (calm, full):
                drop(root, season)
                if season == 0 or root == calm:
                    told, _ = start(root).communicate()
                    assert "Échec" not in told
        reader = Reader(full)
        reader.look()
        before = dict(reader.seen.states)
        filler = filled(full, left=megabytes << 20)
        run = start(full)
        told, _ = run.communicate()
        assert run.returncode == 1
        assert "Traceback" not in told
        assert "plein" in told
        reader.look()
        assert reader.seen.wrong == []
        assert reader.seen.states["public"] == before["public"]
        filler.unlink()
        run = start(full)
        run.communicate()
        assert run.returncode == 0
        assert differences(state(full), state(calm)) == {}


def test_a_project_on_a_read_only_disk_is_examined(tmp_path: Path) -> None:
    project = Project(tmp_path)
    project.drop("a/f.csv", table(0, 100))
    project.run()
    with read_only(tmp_path):
        assert list(health.examine(project.raw, project.warehouse)) == []
        assert cost(project.raw, project.warehouse).n_new == 0


@pytest.mark.fault
@pytest.mark.parametrize("name", ["warehouse", "reports"])
def test_a_project_that_cannot_be_written_says_so(tmp_path: Path, name: str) -> None:
    drop(tmp_path, 0)
    (tmp_path / name).mkdir()
    with read_only(tmp_path / name):
        run = start(tmp_path)
        told, _ = run.communicate()
        assert run.returncode == 1
        assert "Traceback" not in told
        assert "ne peut pas être écrit" in told
    run = start(tmp_path)
    told, _ = run.communicate()
    assert run.returncode == 0, told
