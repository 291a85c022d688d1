"""`kill -9` at any instant of a run: the next run repairs, nothing is lost or doubled, readers never see half."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

QFQ = Path(sys.executable).with_name("qfq")
DEMO = ("exemple-agence", "exemple-ccas-montorbiel", "exemple-departement-garonnette")


def start(root: Path) -> subprocess.Popen[bytes]:
    folders = [word for name in ("raw", "warehouse", "reports") for word in (f"--{name}", str(root / name))]
    command = [str(QFQ), "run", *folders, "--as-of", "2026-09-30"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def figures(root: Path) -> list[tuple[object, ...]]:
    with duckdb.connect(str(root / "warehouse" / "funding.duckdb"), read_only=True) as connection:
        return connection.execute(
            "SELECT depositor, fiscal_year, is_counted, count(*), sum(amount_awarded), bit_xor(hash(application_id)) "
            "FROM applications GROUP BY ALL ORDER BY ALL"
        ).fetchall()


def pages(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in (root / "reports").rglob("*") if p.is_file()}


def whole(root: Path) -> bool:
    """Both databases open and answer, when they are there."""
    for name in ("funding", "public"):
        path = root / "warehouse" / f"{name}.duckdb"
        if path.exists():
            with duckdb.connect(str(path), read_only=True) as connection:
                connection.execute("SELECT count(*) FROM funders").fetchall()
    return True


def project_copy(project: Path, root: Path) -> Path:
    for name in DEMO:
        shutil.copytree(project / "raw" / name, root / "raw" / name, ignore=shutil.ignore_patterns("_*"))
    return root


def kills(project: Path, root: Path, *, count: int, seed: int) -> None:
    undisturbed = project_copy(project, root / "tranquille")
    began = time.monotonic()
    assert start(undisturbed).wait() == 0
    longest = time.monotonic() - began  # a kill after the end of a run is no kill, and is counted as such
    disturbed = project_copy(project, root / "derangee")
    chance = random.Random(seed)
    killed = 0
    for _ in range(count):
        run = start(disturbed)
        time.sleep(chance.uniform(0.5, longest))
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
            killed += 1
        run.wait()
        assert whole(disturbed)
    print(f"\n{killed} runs of {count} killed, at any instant of {longest:.0f} s")
    assert killed > 0
    assert start(disturbed).wait() == 0
    assert figures(disturbed) == figures(undisturbed)
    assert pages(disturbed) == pages(undisturbed)
    assert [p for name in ("staging", "deposits") for p in (disturbed / "warehouse" / name).glob(".*")] == []


def test_a_few_kills(project: Path, tmp_path: Path) -> None:
    kills(project, tmp_path, count=3, seed=1)


@pytest.mark.slow
def test_many_kills(project: Path, tmp_path: Path) -> None:
    kills(project, tmp_path, count=40, seed=2)
