"""The awards of each holder of a key: the first of them for its page, all of them for its file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines.publish.award_lines import SHOWN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import polars as pl

    from pipelines.publish.award_lines import AwardLines
    from pipelines.publish.directory import Directory

MOST_HELD = 200_000_000
"""Bytes of lines held in memory, unless `AT_ONCE` lines have more."""
AT_ONCE = 100_000
"""Lines given at once."""


class AwardLists:
    """The awards of each of `values` of one key, most recent first, their lines safe for spreadsheets.

    Pages ask for them in the order of `values`: the lines that follow those asked for are read with them.
    """

    def __init__(self, lines: AwardLines, key: str, values: Sequence[str]) -> None:
        self._all = lines
        self._lines, counts = lines.listed(key)
        self._numbers = {value: number for number, value in enumerate(values)}
        self._ends = _ends(counts)
        self._shown, self._shown_ends = lines.shown(key), _ends(np.minimum(counts, SHOWN))
        self._bytes = _ends(lines.sizes(self._lines))
        self._held, self._from, self._to = lines.held(self._lines[:0]), 0, 0

    def first(self, value: str) -> tuple[pl.DataFrame, int]:
        """The first `SHOWN` awards of one holder, with the cells that pages show, and how many there are."""
        start, end = self._slice(self._shown_ends, value)
        return self._shown[start:end], self.total(value)

    def total(self, value: str) -> int:
        """How many awards one holder has."""
        start, end = self._slice(self._ends, value)
        return end - start

    def blocks(self, value: str) -> Iterator[Any]:
        """The comma-separated file of one holder, in blocks of bytes."""
        yield self._all.header
        first, last = self._slice(self._ends, value)
        for start in range(first, last, AT_ONCE):
            end = min(last, start + AT_ONCE)
            if start < self._from or end > self._to:
                self._hold(start, end)
            yield self._held.taken(self._lines[start:end])

    def _slice(self, ends: Any, value: str) -> tuple[int, int]:
        number = self._numbers[value]
        return int(ends[number]), int(ends[number + 1])

    def _hold(self, start: int, end: int) -> None:
        """Hold the lines from `start` to `end` and those that follow, in the place of the former ones."""
        most = int(np.searchsorted(self._bytes, self._bytes[start] + MOST_HELD, side="right")) - 1
        self._held, self._from, self._to = self._all.held(self._lines[:0]), start, max(end, most)
        self._held = self._all.held(self._lines[start : self._to])


def values_of(directory: Directory, key: str) -> list[str]:
    """The holders of a key that have a page, in the order of pages."""
    held = {"funder_id": "funders", "service_key": "services", "organisation_id": "beneficiaries"}
    return list(getattr(directory, held[key]) if key in held else directory.places(key.removesuffix("_code")))


def _ends(counts: Any) -> Any:
    """Where runs of `counts` end, after 0."""
    return np.concatenate([[0], np.cumsum(counts)])
