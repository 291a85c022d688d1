"""Numbers in numpy where rows are of uneven sizes, laid end to end; and sorted numbers as a set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def starts(sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where each row begins."""
    begun: NDArray[np.int64] = np.cumsum(sizes) - sizes
    return begun


def spread(sizes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """So many elements of each row: the row of each, and its place in it."""
    row = np.repeat(np.arange(len(sizes)), sizes)
    return row, np.arange(len(row)) - np.repeat(starts(sizes), sizes)


def distinct(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """`numbers`, sorted, each once: sorting them is far quicker than numpy's table of those met."""
    ordered = np.sort(numbers)
    is_first = np.ones(len(ordered), dtype=np.bool_)
    is_first[1:] = ordered[1:] != ordered[:-1]
    return ordered[is_first]


def rank(ordered: NDArray[np.int64]) -> NDArray[np.int64]:
    """The place of each of sorted numbers among its equals."""
    begins = np.ones(len(ordered), dtype=np.bool_)
    begins[1:] = ordered[1:] != ordered[:-1]
    first = begins.nonzero()[0]
    return np.arange(len(ordered)) - np.repeat(first, np.diff(first, append=len(ordered)))


def is_among(wanted: NDArray[np.int64], known: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of `wanted` are in the sorted `known`."""
    if not known.size:
        return np.zeros(len(wanted), dtype=np.bool_)
    found: NDArray[np.bool_] = known[np.minimum(np.searchsorted(known, wanted), len(known) - 1)] == wanted
    return found
