"""Comparing what people write: case, accents, punctuation and what stands in brackets do not count."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

import polars as pl

from schemas.fold import fold, fold_words

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["by_value", "distinct_cells", "fold", "fold_header", "fold_words"]

_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_LONG = 5_000  # cells above which it is worth looking for repetitions


@lru_cache(maxsize=1 << 16)
def fold_header(text: str) -> str:
    """Like `fold`, without format hints in brackets: `Date (AAAA-MM-JJ)` → `date`."""
    without = _BRACKETS.sub(" ", text)
    return fold(without) or fold(text)


def by_value(column: pl.Series, function: Callable[[str], str | None]) -> pl.Series:
    """`function` applied once to each distinct value of a text column; nulls stay null."""
    distinct = column.drop_nulls().unique()
    mapped = pl.Series([function(value) for value in distinct.to_list()], dtype=pl.String)
    return column.replace_strict(distinct, mapped, default=None, return_dtype=pl.String)


def distinct_cells(column: pl.Series) -> tuple[pl.Series, pl.Series] | None:
    """The distinct cells of a text column and, for each cell, the place of its own among them.

    None when the column is short, or its cells differ too much for anything to be won.
    """
    if column.len() < _LONG:
        return None
    distinct = column.unique(maintain_order=True)
    if distinct.len() > column.len() / 2:
        return None
    numbered = distinct.to_frame("cell").with_row_index("place")
    cells = column.to_frame("cell")
    return distinct, cells.join(numbered, on="cell", how="left", nulls_equal=True, maintain_order="left")["place"]
