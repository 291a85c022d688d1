"""The lines of one contract with a mark on those that are kept: what is left out is not copied away.

A million lines without a hundred of them weigh as much again as the million. So the mark goes along to the one who
writes or counts, who takes the lines slice by slice, or the few columns it needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import polars as pl

from schemas.distinct import uniform

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_KEPT = "__kept"
_AT_ONCE = 50_000  # lines copied, at most


@dataclass(frozen=True)
class Lines:
    """`every` line, and whether each is `kept`: a mask of the same height, without nulls."""

    every: pl.DataFrame
    kept: pl.Series

    @classmethod
    def of(cls, lines: pl.DataFrame) -> Lines:
        """All of `lines`, kept."""
        return cls(lines, uniform(True, lines.height, dtype=pl.Boolean))

    @classmethod
    def without(cls, lines: pl.DataFrame, places: Iterable[int]) -> Lines:
        """`lines` but those at `places`."""
        return cls(lines, ~pl.int_range(lines.height, eager=True).is_in(sorted(places)))

    @classmethod
    def together(cls, parts: Iterable[Lines]) -> Lines:
        """The lines of all `parts`, which have the same columns; there is one part at least."""
        parts = list(parts)
        return cls(pl.concat([part.every for part in parts]), pl.concat([part.kept for part in parts]))

    @cached_property
    def height(self) -> int:
        """How many are kept."""
        return int(self.kept.sum())

    @cached_property
    def frame(self) -> pl.DataFrame:
        """Those kept, copied with every column."""
        return self.every if self.height == self.every.height else self.every.filter(self.kept)

    def column(self, name: str) -> pl.Series:
        """One column of those kept."""
        return self.every[name] if self.height == self.every.height else self.every[name].filter(self.kept)

    def null_counts(self) -> dict[str, int]:
        """How many of those kept have nothing in each column."""
        counts = [part.frame.null_count().row(0) for part in self.slices(_AT_ONCE)]
        return {name: sum(count[place] for count in counts) for place, name in enumerate(self.every.columns)}

    def lazy(self) -> pl.LazyFrame:
        """Those kept, of which only the columns asked for are copied."""
        if self.height == self.every.height:
            return self.every.lazy()
        return self.every.with_columns(self.kept.alias(_KEPT)).lazy().filter(pl.col(_KEPT)).drop(_KEPT)

    def slices(self, lines: int) -> Iterator[Lines]:
        """The same in parts of so many `lines`, kept or not."""
        for start in range(0, self.every.height, lines):
            yield Lines(self.every.slice(start, lines), self.kept.slice(start, lines))

    def with_columns(self, *columns: pl.Expr) -> Lines:
        """The same lines with these columns put anew."""
        return Lines(self.every.with_columns(*columns), self.kept)
