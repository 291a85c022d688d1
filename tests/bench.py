"""`make bench`: what the pipeline costs, printed. Ratios are taken in one run, since machines differ and drift.

Not a test: nothing here fails on a slow day. Real files are used when they are there, generated ones otherwise. Times
are those of the wall; where two things are compared they take turns, and the ratio is the median of those of the turns.
"""

from __future__ import annotations

import csv
import json
import os
import random
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
import fastexcel
import frictionless
import openpyxl

from pipelines.ingest.normalise import Origin
from pipelines.ingest.stage import stage
from schemas.funder import FunderFile
from tests import bench_audit, bench_linking, bench_themes, bench_warehouse
from tests.bench_site import AWARDS, whole_site
from tests.conftest import PROJECT, REAL_FILES
from tests.reference_validator import validated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

QFQ = Path(sys.executable).with_name("qfq")
TURNS = 3
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


def conforming(lines: int) -> Iterator[list[str]]:
    """Lines that the legal format takes as they are."""
    for n in range(lines):
        day = f"{2019 + n % 7}-{1 + n % 12:02}-{1 + n % 28:02}"
        yield [
            *(
                "Ville d'Essai",
                "21340172200011",
                day,
                f"D{n}",
                f"Association numéro {n % 50_000}",
                "",
                f"W{n % 10**9:09}",
            ),
            *(f"Projet {n}", f"{1000 + n % 9000}.50", "aide en numéraire", "unique", day, "", "non", "1", ""),
        ]


def mixed(lines: int) -> Iterator[list[str]]:
    """The same, one date in five as dd/mm/yyyy, three amounts in ten written the French way, 1 % of lines wrong."""
    chance = random.Random(20)
    faults = {2: "2024-02-31", 4: "", 6: "W12", 8: "douze mille", 9: "subvention", 11: "bientôt", 13: "peut-être"}
    for n, line in enumerate(conforming(lines)):
        if chance.random() < 0.2:
            line[2] = "/".join(reversed(line[2].split("-")))
        if chance.random() < 0.3:
            line[8] = line[8].replace(".", ",") + (" €" if n % 2 else "")
        if chance.random() < 0.01:
            place = chance.choice(list(faults))
            line[place] = faults[place]
        yield line


def write_csv(path: Path, lines: Iterator[list[str]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(SCDL.split(","))
        table.writerows(lines)


def write_workbook(path: Path, lines: Iterator[list[str]]) -> None:
    workbook = openpyxl.Workbook(write_only=True)
    sheet = workbook.create_sheet("Subventions")
    sheet.append(SCDL.split(","))
    for line in lines:
        amount = float(line[8]) if line[8].replace(".", "").isdecimal() else line[8]
        sheet.append([cell or None for cell in (*line[:8], amount, *line[9:])])
    workbook.save(path)


def staged(path: Path) -> float:
    """Seconds to stage the file at `path`, from its bytes to the Parquet files."""
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        origin = Origin("bench", "bench", path.name, FunderFile())
        return seconds(lambda: stage(path, origin, Path(folder) / "staged"))


def compared(path: Path, bare: Callable[[], object], *, most: float) -> tuple[str, float]:
    """Our time against that of `bare`, in words, and ours in seconds."""
    turns = [(staged(path), seconds(bare)) for _ in range(TURNS)]
    ours, floor = (statistics.median(turn[side] for turn in turns) for side in (0, 1))
    ratio = statistics.median(ours / floor for ours, floor in turns)
    return f"{ratio:.1f} x the bare read, {most:g} at most wanted ({ours:.2f} s, {floor:.2f} s)", ours


def in_table(path: Path) -> None:
    with (
        tempfile.TemporaryDirectory(dir=path.parent) as folder,
        duckdb.connect(str(Path(folder) / "bare.duckdb")) as connection,
    ):
        connection.execute(f"CREATE TABLE t AS SELECT * FROM read_csv('{path}', all_varchar = true)").fetchall()


def in_frame(path: Path) -> None:
    workbook = fastexcel.read_excel(path)
    for name in workbook.sheet_names:
        workbook.load_sheet(name, dtypes="string").to_polars()


def peak(path: Path, *, and_then: str = "") -> tuple[float, float]:
    """Seconds and megabytes that staging the file at `path` takes in a process of its own, imports included.

    The system's own high-water mark (Linux): what `resource` tells of a process begins at the weight of its parent.
    """
    code = (
        "import sys, tempfile\nfrom datetime import date\nfrom pathlib import Path\n"
        "from pipelines.ingest.normalise import Origin\nfrom pipelines.ingest.receipt import write_receipt\n"
        "from pipelines.ingest.stage import stage\nfrom schemas.funder import FunderFile\n"
        "path = Path(sys.argv[1])\n"
        "with tempfile.TemporaryDirectory(dir=path.parent) as folder:\n"
        "    report = stage(path, Origin('bench', 'bench', path.name, FunderFile()), Path(folder) / 'staged')\n"
        f"    {and_then or 'pass'}\n"
        "marks = Path('/proc/self/status').read_text().splitlines()\n"
        "print(next(int(mark.split()[1]) for mark in marks if mark.startswith('VmHWM')) / 1024)\n"
    )
    answers: list[str] = []
    command = [sys.executable, "-c", code, str(path)]
    took = seconds(lambda: answers.append(subprocess.run(command, capture_output=True, check=True, text=True).stdout))
    return took, float(answers[0])


def delimited(folder: Path, what: str, lines: Callable[[int], Iterator[list[str]]]) -> None:
    path, told = folder / f"{what}.csv", f"1 000 000 SCDL lines, {what}"
    write_csv(path, lines(1_000_000))
    ratio, ours = compared(path, lambda: in_table(path), most=4)
    say(f"{told}: staged", ratio)
    took, megabytes = peak(path)
    say(f"{told}: peak memory", f"{megabytes:.0f} MB, 1200 at most wanted")
    reference(path, told, ours, count=1_000_000)
    path.unlink()
    write_csv(path, lines(5_000_000))
    five, weight = peak(path)
    say(
        f"5 000 000 SCDL lines, {what}: staged by a new process",
        f"{five:.1f} s, {five / took:.1f} x the time of a million; peak memory {weight:.0f} MB",
    )
    path.unlink()


def reference(path: Path, told: str, ours: float, *, count: int) -> None:
    """Against the validator that the law's publishers use, on the same file, one turn each.

    The official schema declares custom checks (`custom_checks`), run by plugins of the validator: with them it is what
    publishers are held to, and we check those too. Its columns alone are less than that; both are told.
    """
    official = REAL_FILES / "scdl" / "schema-2.1.1.json"
    if not official.is_file():
        return
    descriptor = json.loads(official.read_text(encoding="utf-8"))
    for rules, custom in (
        ("columns of the official schema alone", False),
        ("official schema and the custom checks it declares", True),
    ):
        schema = frictionless.Schema.from_descriptor(descriptor)
        resource = frictionless.Resource(path.name, basepath=str(path.parent), schema=schema)
        other = seconds(lambda resource=resource, custom=custom: validated(resource, custom_rules=custom))
        per_line = f"{ours / count * 1e6:.1f} and {other / count * 1e6:.1f} µs a line"
        say(f"{told}: frictionless, {rules}", f"{other / ours:.1f} x our time, 10 at least wanted ({per_line})")


def workbooks(folder: Path) -> None:
    for what, lines in (("conforming", conforming(100_000)), ("mixed", mixed(100_000))):
        path = folder / f"{what}.xlsx"
        write_workbook(path, lines)
        say(f"100 000 lines of xlsx, {what}: staged", compared(path, lambda path=path: in_frame(path), most=2)[0])


def answer(folder: Path) -> None:
    path = folder / "answer.csv"
    write_csv(path, mixed(10_000))
    took, _ = peak(path, and_then="write_receipt(report, path.parent, as_of=date(2026, 1, 1))")
    say("10 000 mixed lines: checked and answered by a new process", f"{took:.2f} s, 3 at most wanted")


def many_files(folder: Path) -> None:
    """A year of one depositor each, seven years a depositor: what a file costs however small."""
    lines = list(mixed(140_000))
    for n in range(1_000):
        depositor, year = divmod(n, 7)
        own = folder / "raw" / f"organisme-{depositor}"
        own.mkdir(parents=True, exist_ok=True)
        write_csv(own / f"subventions-{2019 + year}.csv", iter(lines[year::7][depositor * 20 : depositor * 20 + 20]))
    took = seconds(lambda: subprocess.run(run_of(folder), capture_output=True, check=True))
    say("1 000 files of 20 lines, qfq run, pages included", f"{took:.0f} s, 60 at most wanted")


def run_of(folder: Path) -> list[str]:
    """The words of `qfq run` in the project `folder`."""
    words = [word for name in ("raw", "warehouse", "reports") for word in (f"--{name}", str(folder / name))]
    return [str(QFQ), "run", *words]


def receipt_among(folder: Path) -> None:
    """When one more file has its receipt in the project that `many_files` left in `folder`; the run is seen through."""
    own = folder / "raw" / "nouveau"
    own.mkdir()
    write_csv(own / "subventions-2025.csv", mixed(10_000))
    start = time.perf_counter()
    with subprocess.Popen(run_of(folder), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        while not any(own.glob("_accuses/*.html")):
            if run.poll() is not None:
                raise RuntimeError("the run ended without a receipt")
            time.sleep(0.02)
        took = time.perf_counter() - start
    told = "10 000 mixed lines dropped among 1 000 deposits: receipt, from the start of qfq run"
    say(told, f"{took:.1f} s, 3 at most wanted")


def main() -> None:
    say("processors", str(os.cpu_count()))
    help_time()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        answer(folder)
        workbooks(folder)
        whole_line()
        many_files(folder / "many")
        receipt_among(folder / "many")
        for what, lines in (("conforming", conforming), ("mixed", mixed)):
            delimited(folder, what, lines)
        for what, cost in whole_site(folder / "site"):
            say(f"site of {AWARDS} awards, {what}", cost)
    bench_linking.main()
    print(bench_themes.one_million_titles(), flush=True)
    print(bench_audit.whole_audit(bench_audit.SIZES[-1]), flush=True)
    bench_warehouse.report(int(sys.argv[1]) if len(sys.argv) > 1 else bench_warehouse.LINES, say)


if __name__ == "__main__":
    main()
