"""Dagster's own folder, `warehouse/dagster`, and the start of its interface."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import event
from sqlalchemy.engine import Engine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import dagster as dg

_CONFIGURATION = """\
# Written by qfq. One writer at a time; nothing is sent anywhere.
nux:
  enabled: false
telemetry:
  enabled: false
concurrency:
  pools:
    granularity: run
    default_limit: 1
# A run whose process died is started again once; one that lasts longer than its tag dagster/max_runtime is ended.
run_monitoring:
  enabled: true
  start_timeout_seconds: 600
run_retries:
  enabled: true
  max_retries: 1
  retry_on_asset_or_op_failure: false
"""


def dagster_home(warehouse: Path) -> Path:
    """The instance's folder, made if it is not there; shared by `qfq run` and the interface."""
    home = (warehouse / "dagster").resolve()
    home.mkdir(parents=True, exist_ok=True)
    configuration = home / "dagster.yaml"
    if not configuration.is_file() or _is_former(configuration.read_text(encoding="utf-8")):
        aside = configuration.with_name(f".{configuration.name}.{os.getpid()}")
        aside.write_text(_CONFIGURATION, encoding="utf-8")
        aside.replace(configuration)
    return home


def _is_former(text: str) -> bool:
    """Whether a configuration is a former one of ours, to which nobody added a line."""
    return text != _CONFIGURATION and set(text.splitlines()) < set(_CONFIGURATION.splitlines())


@contextmanager
def events_kept_open(home: Path, instance: dg.DagsterInstance, run_id: str) -> Iterator[None]:
    """Hold open the two SQLite files of `home` where Dagster writes the events of a run, if it is there that it does.

    It opens and closes them for each of some thousand events, and SQLite, when nobody else has a file open, empties its
    journal into it at each closing and waits for the disk: half a minute of a run where the disk is busy. Nor does it
    wait for the disk at each event: a power failure, not a kill, may lose the last ones, and nothing else.
    """
    instance.all_logs(run_id)  # makes the file of the run
    event.listen(Engine, "connect", _without_waiting)
    try:
        with ExitStack() as held:
            for path in (home / "history" / "runs").glob("*.db"):
                if path.stem in (run_id, "index"):
                    connection = held.enter_context(closing(sqlite3.connect(path)))
                    connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # opens it for good
            yield
    finally:
        event.remove(Engine, "connect", _without_waiting)


def _without_waiting(connection: object, _record: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous = NORMAL")


def environment(*, raw: Path, warehouse: Path, reports: Path) -> dict[str, str]:
    """The process environment under which Dagster finds the project's folders."""
    return {
        **os.environ,
        "DAGSTER_HOME": str(dagster_home(warehouse)),
        "QFQ_RAW": str(raw.resolve()),
        "QFQ_WAREHOUSE": str(warehouse.resolve()),
        "QFQ_REPORTS": str(reports.resolve()),
    }


def serve_dagster(*, raw: Path, warehouse: Path, reports: Path, port: int) -> int:
    """Run the interface until it is stopped; returns its exit code."""
    command = [sys.executable, "-m", "dagster", "dev", "-m", "pipelines.defs.definitions", "-p", str(port)]
    try:
        told = environment(raw=raw, warehouse=warehouse, reports=reports)
        return subprocess.run(command, env=told, check=False).returncode  # noqa: S603 - fixed words, a checked port
    except KeyboardInterrupt:
        return 0
