"""Comparing what people write: case, accents, punctuation and what stands in brackets do not count."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

import polars as pl

from schemas.distinct import Distinct
from schemas.fold import LIGATURES, fold, fold_words

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["by_value", "fold", "fold_header", "fold_words", "folded_words"]

_LIGATURES = {chr(letter): written for letter, written in LIGATURES.items()}
_ACCENTS = "[\u0300-\u034e\u0350-\u036f]"  # as they stand alone once letters are decomposed
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


def folded_words(column: pl.Series) -> pl.Series:
    """`fold_words` of each cell of a text column; letters of other scripts than Latin count for nothing."""
    plain = column.str.to_lowercase().str.replace_many(_LIGATURES).str.normalize("NFKD")
    return plain.str.replace_all(_ACCENTS, "").str.replace_all("[^0-9a-z]+", " ").str.strip_chars(" ")
