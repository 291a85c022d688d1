"""Runs that are killed: at an instant, or just before their n-th operation of a kind on the project's files.

Run as a process of its own, `python -m tests.kills ROOT …` does what `qfq run` does, without Dagster unless asked for,
and keeps a trace of where it is: what a process was doing when it was killed is read there. Nothing of the project
knows that it is watched: Python itself tells every file that is opened, renamed or removed (`sys.addaudithook`).
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

AS_OF = "2026-09-30"
PHASES = (
    "start", "take", "read", "stage", "ledger", "receipt", "manifest", "model", "disclosure", "archive", "swap",
    "publish", "dagster",
)  # fmt: skip
_TOLD = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "sqlite3.connect")
_TRACE, _READY, _COUNTS = "trace", "ready", "counts.json"


def phase_of(event: str, path: str, to: str = "") -> str:
    """The phase that an operation on a file of a project belongs to; `path` and `to` are relative to its root."""
    folder, _, rest = path.partition("/")
    if folder == "raw":
        return "receipt" if "_accuses" in rest else "take"
    if folder == "reports":
        return "publish"
    kind, _, name = rest.partition("/")
    if event == "os.rename" and to.endswith((".duckdb", "current.json")):
        return "swap"
    match kind:
        case "deposits":
            return "take" if name.startswith(".") or event != "open" else "read"
        case "staging":
            return "stage"
        case "dagster":
            return "dagster"
        case "publications":
            return "archive"
        case "twins" | "current.json" | "current.tmp":
            return "manifest"
    if kind.startswith("ledger"):
        return "ledger"
    return "disclosure" if "public" in kind else "model" if "funding" in kind else "start"


class Trace:
    """Where this process is, written at once to a file that survives it; it kills itself where it is told to."""

    def __init__(self, root: Path, folder: Path, *, stop: tuple[str, int] | None) -> None:
        self.root, self.stop, self.counts = f"{root}/", stop, Counter[str]()
        self._file = os.open(folder / _TRACE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)

    def hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        """An audit hook."""
        if event not in _TOLD or not isinstance(arguments[0], (str, bytes, os.PathLike)):
            return
        path = os.fsdecode(arguments[0])
        if not path.startswith(self.root):
            return
        to = os.fsdecode(arguments[1]) if event == "os.rename" else ""
        self.tell(phase_of(event, path.removeprefix(self.root), to), event)

    def tell(self, phase: str, what: str) -> None:
        """`what` is about to be done."""
        self.counts[phase] += 1
        os.pwrite(self._file, f"{phase} {what}".ljust(60).encode(), 0)
        if self.stop == (phase, self.counts[phase]):
            os.kill(os.getpid(), signal.SIGKILL)


def _watch_commits(trace: Trace) -> None:
    """SQLite writes by itself: the instants before and after each commit of the ledger are told here."""
    from pipelines.ingest.ledger import Ledger

    plain = Ledger._transaction

    @contextmanager
    def watched(ledger: Ledger) -> Iterator[Any]:
        with plain(ledger) as database:
            yield database
            trace.tell("ledger", "before a commit")
        trace.tell("ledger", "after a commit")

    Ledger._transaction = watched  # type: ignore[method-assign]


def _flow(root: Path, day: date) -> Callable[[], int]:
    """What the assets of the main job call, in their order."""
    from pipelines.defs.places import Places
    from pipelines.ingest.inbox import ingest
    from pipelines.ingest.manifest import write_manifest
    from pipelines.publish import site
    from pipelines.warehouse.build import build
    from pipelines.warehouse.current import load_inputs
    from pipelines.warehouse.disclosure import publish_database
    from schemas.publication import load_publication

    site._WORTH_IT = 1 << 60  # in this process: what is watched is here
    places = Places(**{name: str(root / name) for name in ("raw", "warehouse", "reports")}, as_of=day.isoformat())

    def run() -> int:
        with places.writing():
            done = ingest(places.raw_folder, places.warehouse_folder, as_of=day)
            write_manifest(done, raw=places.raw_folder, warehouse=places.warehouse_folder)
        with places.writing():
            build(load_inputs(places.warehouse_folder, as_of=day, registers=places.registers), places.funding)
        with places.writing():
            publish_database(places.funding, places.public, as_of=day, parameters=load_publication())
        with places.writing():
            site.publish(places.public, places.reports_folder)
        return 0

    return run


def _through_dagster(root: Path, day: date) -> Callable[[], int]:
    """`qfq run` itself."""
    from pipelines.defs.terminal import run_main_job

    return lambda: run_main_job(raw=root / "raw", warehouse=root / "warehouse", reports=root / "reports", as_of=day)


def _main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("root", type=Path)
    parser.add_argument("traces", type=Path)
    parser.add_argument("--dagster", action="store_true")
    parser.add_argument("--stop", nargs=2)
    asked = parser.parse_args()
    work = _through_dagster if asked.dagster else _flow
    work_on = work(asked.root, date.fromisoformat(AS_OF))
    stop = (asked.stop[0], int(asked.stop[1])) if asked.stop else None
    trace = Trace(asked.root, asked.traces, stop=stop)
    _watch_commits(trace)
    sys.addaudithook(trace.hear)
    trace.tell("start", "ready")
    (asked.traces / _READY).touch()
    done = work_on()
    (asked.traces / _COUNTS).write_text(json.dumps(trace.counts))
    return done


class Run:
    """One run of the project at `root` in a process of its own; it begins when its libraries are loaded."""

    def __init__(self, root: Path, traces: Path, *, dagster: bool = False, stop: tuple[str, int] | None = None) -> None:
        traces.mkdir(exist_ok=True)
        self._traces = traces
        for name in (_TRACE, _READY, _COUNTS):
            (traces / name).unlink(missing_ok=True)
        more = [*(["--dagster"] if dagster else []), *(["--stop", stop[0], str(stop[1])] if stop else [])]
        with (traces / "output").open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.kills", str(root), str(traces), *more],
                stdout=output, stderr=subprocess.STDOUT, cwd=Path(__file__).parents[1],
            )  # fmt: skip

    def begun(self) -> Run:
        """Wait until its libraries are loaded."""
        while not (self._traces / _READY).exists() and self._process.poll() is None:
            time.sleep(0.01)
        return self

    def kill_after(self, seconds: float) -> None:
        """Kill this process and no other, unless it ended before."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGKILL)

    def ended(self) -> bool:
        """Wait for its end; whether it went to its end."""
        code = self._process.wait()
        if code not in (0, -signal.SIGKILL):
            raise AssertionError((self._traces / "output").read_text(encoding="utf-8", errors="replace")[-3000:])
        return code == 0

    @property
    def phase(self) -> str:
        """What it was doing last."""
        return (self._traces / _TRACE).read_text().split()[0]

    @property
    def counts(self) -> dict[str, int]:
        """How many operations each phase had, of a run that went to its end."""
        found: dict[str, int] = json.loads((self._traces / _COUNTS).read_text())
        return found


if __name__ == "__main__":
    sys.exit(_main())
