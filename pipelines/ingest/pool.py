"""All processors for work that is worth it: files in fresh processes, the parts of one file in threads."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

from pipelines.processes import fresh_processes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from concurrent.futures import ProcessPoolExecutor

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_Other = TypeVar("_Other")
_WORTH_IT = 3_000_000  # bytes in all: below, starting processes costs more than it saves
_EACH = 100_000  # bytes that take as long as what any task costs, however small
_FEW = 2_000  # lines below which a thread takes longer to start than its work


def in_threads(function: Callable[[_Item], _Result], items: Iterable[_Item], *, lines: int) -> list[_Result]:
    """`function` of each item, in order, on all processors: polars and DuckDB let go of Python's lock as they work.

    One after the other when there are few `lines` in all.
    """
    if lines < _FEW:
        return [function(item) for item in items]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(function, items))


def waiting_together(function: Callable[[_Item], _Result], items: Sequence[_Item]) -> list[_Result]:
    """`function` of each item, in order, all at the same time: for few items, each of which waits for the disk."""
    if len(items) < 2:
        return [function(item) for item in items]
    with ThreadPoolExecutor(len(items)) as pool:
        return list(pool.map(function, items))


def both(one: Callable[[], _Result], other: Callable[[], _Other], *, lines: int) -> tuple[_Result, _Other]:
    """What `one` and `other` return, at the same time unless there are few `lines`."""
    if lines < _FEW:
        return one(), other()
    with ThreadPoolExecutor(1) as beside:
        second = beside.submit(other)
        return one(), second.result()


class Workers:
    """Processes started at the first work that deserves them, and kept until the end of the `with` block."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, raised: object, *_: object) -> None:
        if self._pool is not None:  # all has been done, unless something was raised: nothing to wait for
            self._pool.shutdown(wait=raised is not None, cancel_futures=True)

    def start(self, ready: Callable[[], object], *, sizes: Sequence[int]) -> None:
        """Start the processes now if work of these `sizes` will deserve them, each with `ready`; waits for nothing."""
        pool = self._deserved(sizes)
        if pool is not None:
            with suppress(BrokenProcessPool):  # whoever has work for them will see
                for _ in range(os.cpu_count() or 1):
                    pool.submit(ready)

    def for_each(
        self, function: Callable[..., _Result], tasks: Sequence[tuple[Any, ...]], *, sizes: Sequence[int],
        done: Callable[[int], None] | None = None,
    ) -> list[_Result] | None:  # fmt: skip
        """What `function(*task)` returns for every task, largest first; `sizes` are their weights in bytes.

        None, nothing or only some having been called, when the work is too small or a worker died: whoever asked then
        does what is left by itself. An exception of `function` is raised here. `done` hears how many have ended.
        """
        pool = self._deserved(sizes)
        if pool is None:
            return None
        order = sorted(range(len(tasks)), key=lambda position: -sizes[position])
        try:
            futures = {position: pool.submit(function, *tasks[position]) for position in order}
            for count, future in enumerate(as_completed(futures.values()), start=1):
                future.result()
                if done is not None:
                    done(count)
        except BrokenProcessPool:
            return None
        return [futures[position].result() for position in range(len(tasks))]

    def _deserved(self, sizes: Sequence[int]) -> ProcessPoolExecutor | None:
        """The processes, started if they were not; None when tasks of these `sizes` take less time without them."""
        workers = os.cpu_count() or 1
        weights = [size + _EACH for size in sizes]
        if min(workers, len(sizes)) < 2 or sum(weights) < _WORTH_IT:
            return None
        if self._pool is None:  # threads beside as many processes only take turns, unless one file outlasts the others
            self._pool = fresh_processes(workers, threads_each=1 if max(weights) * workers <= sum(weights) else None)
        return self._pool
