"""Thousands of spoilt files through the code of `qfq check`: no crash, bounded time and memory, counts that add up.

A short version runs with the other tests; `make fault` runs five thousand and prints the figures. `tests.mutations`
says how files are spoilt. The file of a seed depends on the real ones that are there: with and without, they differ.
"""

from __future__ import annotations

import faulthandler
import os
import resource
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.ingest.annotate import annotated_bytes, is_wanted
from pipelines.ingest.check import check_file
from pipelines.ingest.normalise import Origin
from pipelines.ingest.receipt import render
from schemas.funder import FunderFile
from tests.mutations import SECRETS, Spoilt, spoilt

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipelines.ingest.outcome import Outcome
    from pipelines.ingest.report import Report

MOST_SECONDS = 30  # of processor: other work on the machine does not count
NEVER_LONGER = 300  # seconds on the clock: beyond, the process is stopped
MOST_MEMORY = 1_500_000_000  # bytes of one process while it reads one file
NEVER_MORE = 6_000_000_000  # bytes that a process may ask for at all: beyond, it is stopped
FEW, MANY = 100, 5_000
BATCH = 25
AS_OF = date(2026, 1, 1)


@dataclass(frozen=True)
class Read:
    """What came of one file: its status, the seconds and bytes it took, and what is wrong (empty: nothing)."""

    seed: int
    status: str
    seconds: float
    memory: int
    wrong: str


def _limit(folder: str) -> None:
    """In a fresh process: bounded memory, and a way out of a reading that never ends."""
    resource.setrlimit(resource.RLIMIT_DATA, (NEVER_MORE, NEVER_MORE))
    os.environ["QFQ_READING"] = folder


def _peak() -> int:
    """The most memory of this process since `_forget_peak`."""
    for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")


def read_batch(seeds: list[int]) -> list[Read]:
    """Read the files of `seeds`, one after the other; the one being read is noted, should the process die of it."""
    note = Path(os.environ["QFQ_READING"]) / str(os.getpid())
    found = []
    for seed in seeds:
        note.write_text(str(seed), encoding="utf-8")
        found.append(read_one(seed))
    note.unlink()
    return found


def read_one(seed: int) -> Read:
    """Read and answer the file of one seed."""
    file = spoilt(seed)
    _forget_peak()
    faulthandler.dump_traceback_later(NEVER_LONGER, exit=True)
    began, status, wrong = time.process_time(), "crashed", ""
    try:
        outcome = check_file(file.content, Origin("d", "ville-d-essai", file.name, FunderFile()))
        status = outcome.report.status
        wrong = "; ".join(_wrongs(outcome, file))
    except BaseException as error:  # a library in Rust may raise what is no `Exception`
        wrong = f"{type(error).__name__}: {str(error)[:200]}"
    seconds, memory = time.process_time() - began, _peak()
    faulthandler.cancel_dump_traceback_later()
    if seconds > MOST_SECONDS:
        wrong += f" {seconds:.0f} s"
    if memory > MOST_MEMORY:
        wrong += f" {memory / 1e9:.1f} GB"
    return Read(
        seed, status, seconds, memory, wrong and f"seed {seed} ({file.source}: {', '.join(file.done)}): {wrong}"
    )


def _wrongs(outcome: Outcome, file: Spoilt) -> Iterable[str]:
    """What must be true of every file, and is not."""
    report = outcome.report
    yield from _counts(report)
    accepted = outcome.accepted
    if accepted["line_id"].n_unique() != accepted.height:
        yield "a line twice"
    if report.status == "accepted" and not accepted.height and not outcome.others:
        yield "accepted without a line"
    if report.status != "accepted" and not report.messages:
        yield "no reason"
    for stage, told in report.amounts.items():
        total = Decimal(accepted[f"amount_{stage}"].sum())
        if abs(total - Decimal(told)) > Decimal("0.01") * accepted.height:
            yield f"{stage}: {told} told, {total} read"
    page = render(report, as_of=AS_OF)
    frames = (accepted, outcome.rejected, outcome.issues)
    seen = page + report.to_json() + "".join(frame.write_json() for frame in frames)
    if any(secret in seen for secret in SECRETS):
        yield "a personal value is seen"
    if "Traceback" in page or "<script>alert" in page:
        yield "an unsafe receipt"
    if is_wanted(report):
        annotated_bytes(report, file.content, file_name=file.name)


def _counts(report: Report) -> Iterable[str]:
    for part in (report, *report.sheets, *report.members):
        if part.rows_read != part.rows_accepted + part.rows_rejected + part.rows_ignored:
            yield f"the counts of {part} do not add up"
    for name in ("rows_read", "rows_accepted", "rows_rejected", "rows_ignored"):
        if getattr(report, name) != sum(getattr(sheet, name) for sheet in report.sheets):
            yield f"{name} is not the sum of the sheets'"


def read_all(seeds: range, folder: Path) -> list[Read]:
    """Read the files of `seeds` on all processors. Fails, and names them, when a file takes its process down."""
    batches = [list(seeds[place : place + BATCH]) for place in range(0, len(seeds), BATCH)]
    workers = ProcessPoolExecutor(
        os.cpu_count(), mp_context=get_context("spawn"), initializer=_limit, initargs=(str(folder),)
    )
    with workers as pool:
        try:
            return [one for batch in pool.map(read_batch, batches) for one in batch]
        except BrokenProcessPool:
            being_read = sorted(int(path.read_text(encoding="utf-8")) for path in folder.iterdir())
            pytest.fail(f"a process died while reading one of the seeds {being_read}")


def verify(found: list[Read]) -> None:
    """Print the figures, and fail on the first of what is wrong."""
    kinds = Counter(read.status for read in found)
    slowest, heaviest = max(read.seconds for read in found), max(read.memory for read in found)
    wrong = [read.wrong for read in found if read.wrong]
    print(
        f"\n{len(found)} spoilt files: {dict(sorted(kinds.items()))}; {kinds['crashed']} crashes, {len(wrong)} wrong; "
        f"slowest {slowest:.1f} s, most memory {heaviest / 1e6:.0f} MB"
    )
    assert not wrong, "\n".join(wrong[:20])
    assert kinds["accepted"] > 0.1 * len(found), "what is hardly spoilt is still read"


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the memory of one file is measured on Linux")
def test_a_few_spoilt_files(tmp_path: Path) -> None:
    verify(read_all(range(FEW), tmp_path))


@pytest.mark.fault
@pytest.mark.timeout(7_200)
@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="the memory of one file is measured on Linux")
def test_five_thousand_spoilt_files(tmp_path: Path) -> None:
    verify(read_all(range(MANY), tmp_path))
