"""Comparing what people write: case, accents and punctuation do not count."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import filterfalse

import polars as pl

_NOT_WORD = re.compile(r"[^0-9a-z]+")
LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "’": "'", "€": " euro ", "%": " pct ", "°": " "})

_LIGATURES = {chr(letter): written for letter, written in LIGATURES.items()}
_ACCENTS = "[\u0300-\u034e\u0350-\u036f]"  # as they stand alone once letters are decomposed
_DECOMPOSED = pl.all().str.to_lowercase().str.replace_many(_LIGATURES).str.normalize("NFKD")
_FOLDED = _DECOMPOSED.str.replace_all(_ACCENTS, "").str.replace_all("[^0-9a-z]+", " ").str.strip_chars(" ")


@lru_cache(maxsize=1 << 16)
def fold(text: str) -> str:
    """`text` in lower-case ASCII letters and digits only: `Nom du bénéficiaire*` → `nomdubeneficiaire`."""
    return _NOT_WORD.sub("", _plain(text))


@lru_cache(maxsize=1 << 16)
def fold_words(text: str) -> str:
    """`text` in lower-case ASCII words, one space between them: `L'Épicerie du Lez` → `l epicerie du lez`."""
    return _NOT_WORD.sub(" ", _plain(text)).strip()


def folded_words(column: pl.Series) -> pl.Series:
    """`fold_words` of each cell of a text column; letters of other scripts than Latin count for nothing."""
    return column.to_frame().select(_FOLDED).to_series()


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.lower().translate(LIGATURES))
    return "".join(filterfalse(unicodedata.combining, decomposed))
