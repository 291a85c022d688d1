"""Comparing what people write: case, accents, punctuation and what stands in brackets do not count."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import filterfalse
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Callable

_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_NOT_WORD = re.compile(r"[^0-9a-z]+")
_LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "’": "'", "€": " euro ", "%": " pct ", "°": " "})


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
    return "".join(filterfalse(unicodedata.combining, decomposed))


def by_value(column: pl.Series, function: Callable[[str], str | None]) -> pl.Series:
    """`function` applied once to each distinct value of a text column; nulls stay null."""
    distinct = column.drop_nulls().unique()
    mapped = pl.Series([function(value) for value in distinct.to_list()], dtype=pl.String)
    return column.replace_strict(distinct, mapped, default=None, return_dtype=pl.String)
