"""Worker processes: how they are started, and that they never outlive the run that started them."""

from __future__ import annotations

import multiprocessing
import os
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.connection import wait


def fresh_processes(
    count: int, *, tasks_each: int | None = None, threads_each: int | None = None
) -> ProcessPoolExecutor:
    """A pool of `count` fresh processes, not forked ones: polars and DuckDB hold threads.

    `tasks_each`: how many tasks a process does before another takes its place; what it held does not add up.
    `threads_each`: how many threads polars has in each, if not one for each processor.

    They end with this process, killed or not: one that went on would read and write for nobody, beside the next run.
    """
    return ProcessPoolExecutor(
        count,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_begin,
        initargs=(threads_each,),
        max_tasks_per_child=tasks_each,
    )


def _begin(threads: int | None) -> None:
    if threads is not None:
        os.environ["POLARS_MAX_THREADS"] = str(threads)  # read when polars is loaded, at the first task
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_watch, args=(parent.sentinel,), daemon=True, name="parent").start()


def _watch(sentinel: int) -> None:
    wait([sentinel])
    os._exit(1)  # at once: nobody hears an exception, and what is half written has a name that the next run sweeps
