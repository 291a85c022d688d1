"""Comparing what people write: case, accents, punctuation and what stands in brackets do not count."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable

_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_NOT_WORD = re.compile(r"[^0-9a-z]+")
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "’": "'", "€": " euro ", "%": " pct ", "°": " "})
_LONG = 5_000  # cells above which it is worth looking for repetitions


@lru_cache(maxsize=1 << 16)
def fold(text: str) -> str:
    """`text` in lower-case ASCII letters and digits only: `Nom du bénéficiaire*` → `nomdubeneficiaire`."""
    return _NOT_WORD.sub("", _plain(text))


@lru_cache(maxsize=1 << 16)
def fold_header(text: str) -> str:
    """Like `fold`, without format hints in brackets: `Date (AAAA-MM-JJ)` → `date`."""
    without = _BRACKETS.sub(" ", text)
    return fold(without) or fold(text)


@lru_cache(maxsize=1 << 16)
def fold_words(text: str) -> str:
    """`text` in lower-case ASCII words, one space between them: `L'Épicerie du Lez` → `l epicerie du lez`."""
    return _NOT_WORD.sub(" ", _plain(text)).strip()


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.lower().translate(_LIGATURES))
    return "".join(character for character in decomposed if not unicodedata.combining(character))


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
