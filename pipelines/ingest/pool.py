"""All processors for work that is worth it: one call a file, in fresh processes, each independent of the others."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_WORTH_IT = 3_000_000  # bytes in all: below, starting processes costs more than it saves


def for_each(
    function: Callable[..., object], tasks: Sequence[tuple[Any, ...]], *, sizes: Sequence[int],
    done: Callable[[int], None] | None = None,
) -> bool:  # fmt: skip
    """Call `function(*task)` for every task, largest first; `sizes` are their weights in bytes.

    Returns False, having called nothing or only some, when the work is too small for a pool or a worker died: whoever
    asked then does what is left by itself. An exception of `function` is raised here. `done` hears how many have ended.
    """
    workers = min(os.cpu_count() or 1, len(tasks))
    if workers < 2 or sum(sizes) < _WORTH_IT:
        return False
    order = sorted(range(len(tasks)), key=lambda position: -sizes[position])
    try:
        # Fresh processes, not forked ones: polars and DuckDB hold threads.
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            futures = [pool.submit(function, *tasks[position]) for position in order]
            for count, future in enumerate(as_completed(futures), start=1):
                future.result()
                if done is not None:
                    done(count)
    except BrokenProcessPool:
        return False
    return True
