"""Comparing what people write: case, accents, punctuation and what stands in brackets do not count."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

import polars as pl

from schemas.distinct import Distinct
from schemas.fold import fold, fold_words, folded_words

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["by_value", "fold", "fold_header", "fold_words", "folded_words"]

_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")


@lru_cache(maxsize=1 << 16)
def fold_header(text: str) -> str:
    """Like `fold`, without format hints in brackets: `Date (AAAA-MM-JJ)` → `date`."""
    without = _BRACKETS.sub(" ", text)
    return fold(without) or fold(text)


def by_value(column: pl.Series, function: Callable[[str], str | None]) -> pl.Series:
    """`function` applied once to each distinct value of a text column; nulls stay null."""
    known = Distinct.of(column)
    cells = known.cells.to_list()
    told = {value: function(value) for value in dict.fromkeys(cells) if value is not None}
    return known.over(pl.Series(column.name, [told.get(value) for value in cells], dtype=pl.String))
