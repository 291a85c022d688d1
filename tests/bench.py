"""`make bench`: what the pipeline costs, printed. Ratios are taken in one run, since machines differ and drift.

Not a test: nothing here fails on a slow day. Real files are used when they are there, generated ones otherwise.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from pipelines.ingest.normalise import Origin
from pipelines.ingest.stage import stage
from schemas.funder import FunderFile
from tests.conftest import PROJECT, REAL_FILES

if TYPE_CHECKING:
    from collections.abc import Callable

QFQ = Path(sys.executable).with_name("qfq")
SCDL = (
    "nomAttribuant,idAttribuant,dateConvention,referenceDecision,nomBeneficiaire,idBeneficiaire,rnaBeneficiaire,objet,"
    "montant,nature,conditionsVersement,datesPeriodeVersement,idRAE,notificationUE,pourcentageSubvention,dispositifAide"
)


def seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def say(what: str, value: str) -> None:
    print(f"{what:<64} {value}", flush=True)


def help_time() -> None:
    runs = [seconds(lambda: subprocess.run([QFQ, "--help"], capture_output=True, check=True)) for _ in range(5)]
    say("qfq --help, median of 5", f"{statistics.median(runs):.2f} s")


def whole_line() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name, pattern in (
            ("paris", "*"),
            ("loire-atlantique", "*"),
            ("montpellier", "*2018_2019*"),
            ("scdl", "*.csv"),
        ):
            source = REAL_FILES / name
            if source.is_dir():
                (root / "raw" / name).mkdir(parents=True)
                for path in source.glob(pattern):
                    shutil.copy(path, root / "raw" / name)
        for path in (PROJECT / "raw").glob("exemple-*"):
            shutil.copytree(path, root / "raw" / path.name, ignore=shutil.ignore_patterns("_*"))
        words = [word for name in ("raw", "warehouse", "reports") for word in (f"--{name}", str(root / name))]
        for what in ("first run", "second run, nothing new"):
            took = seconds(lambda: subprocess.run([QFQ, "run", *words], capture_output=True, check=True))
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            say(f"qfq run on demonstration and real files, {what}", f"{took:.1f} s, peak so far {peak:.0f} MB")


def generated(path: Path, lines: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(SCDL + "\n")
        for n in range(lines):
            day = f"{2019 + n % 7}-{1 + n % 12:02}-{1 + n % 28:02}"
            file.write(
                f"Ville d'Essai,21340172200011,{day},D{n},Association numéro {n % 50_000},,W{n % 10**9:09},Projet {n},"
                f"{1000 + n % 9000}.50,aide en numéraire,unique,{day},,non,1,\n"
            )


def staging(lines: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scdl.csv"
        generated(path, lines)
        origin = Origin("bench", "bench", path.name, FunderFile())
        ours = seconds(lambda: stage(path, origin, Path(folder) / "staged"))

        def bare() -> None:
            with duckdb.connect(str(Path(folder) / "bare.duckdb")) as connection:
                connection.execute(f"CREATE TABLE t AS SELECT * FROM read_csv('{path}', all_varchar = true)").fetchall()

        floor = seconds(bare)
        say(
            f"{lines} SCDL lines: checked and staged",
            f"{ours:.1f} s, {ours / floor:.1f} x a bare DuckDB read ({floor:.2f} s)",
        )


def main() -> None:
    say("processors", str(os.cpu_count()))
    help_time()
    whole_line()
    staging(100_000)


if __name__ == "__main__":
    main()
