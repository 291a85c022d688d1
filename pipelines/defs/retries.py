"""What is tried again, how long a run may last, and the tags that runs bear. A fault of the data never is."""

from __future__ import annotations

import errno
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

import dagster as dg
import duckdb

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_RUNTIME = "dagster/max_runtime"
HOURS = {"tout_publier": 6, "recevoir_les_sources": 2, "prevoir_la_relecture": 1, "lire_en_lots": 6}
"""How many hours each job may last before the daemon ends it; a national history is staged in less."""
_TRIES, _WAIT = 2, 20  # more attempts; seconds before each
_PASSING = {
    errno.EAGAIN, errno.EBUSY, errno.EINTR, errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.ENETDOWN,
    errno.ENETUNREACH, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ECONNRESET, errno.ETXTBSY,
}  # fmt: skip
"""Faults of a network share or a busy disk, which pass."""


def run_tags(job: str) -> dict[str, str]:
    """The tags of every run of a job: whose it is, and how many seconds it may last."""
    return {"qfq/travail": job, MAX_RUNTIME: str(HOURS[job] * 3600)}


@contextmanager
def tried_again() -> Iterator[None]:
    """Ask for another attempt of the step when a disk, a network share or a lock fails it for a moment.

    Any other exception goes through: what a file or a rule got wrong would be as wrong a minute later.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in _PASSING:
            raise
        raise dg.RetryRequested(max_retries=_TRIES, seconds_to_wait=_WAIT) from error
    except sqlite3.OperationalError as error:
        if "locked" not in str(error) and "busy" not in str(error):
            raise
        raise dg.RetryRequested(max_retries=_TRIES, seconds_to_wait=_WAIT) from error
    except duckdb.IOException as error:
        if "lock" not in str(error):
            raise
        raise dg.RetryRequested(max_retries=_TRIES, seconds_to_wait=_WAIT) from error
