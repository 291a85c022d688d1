"""Whose turn it is: one `qfq run` at a time, and what one that was killed left in Dagster's memory."""

from __future__ import annotations

import fcntl
from contextlib import contextmanager
from typing import TYPE_CHECKING

import dagster as dg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TAG = "qfq/terminal"
TAGS = {TAG: "true", "dagster/max_retries": "0"}
"""On every run that a terminal started: whoever sits there starts it again, not Dagster."""
_UNFINISHED = [
    dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]  # fmt: skip


@contextmanager
def turn(home: Path, *, waits: Callable[[], None]) -> Iterator[None]:
    """Hold the turn of terminals in Dagster's folder `home`; `waits` is called first when another holds it.

    The system frees it when its holder dies, however it dies: the file that stays behind locks nothing.
    """
    with (home / ".turn").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waits()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def close_if_free(home: Path, instance: dg.DagsterInstance) -> int:
    """`close_interrupted` when no terminal has its turn; 0 when one has: its own run is not over."""
    with (home / ".turn").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return 0
        return close_interrupted(instance)


def close_interrupted(instance: dg.DagsterInstance) -> int:
    """Tell Dagster that the runs of dead terminals have failed; returns how many. To call while one holds the turn.

    Left as started, they would hold the place of those that the interface queues, for ever.
    """
    stale = instance.get_runs(filters=dg.RunsFilter(tags={TAG: "true"}, statuses=_UNFINISHED))
    for run in stale:
        instance.report_run_failed(run, "Passage interrompu : son processus n'existe plus.")
    return len(stale)
