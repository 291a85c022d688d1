"""Comparing what people write: case, accents and punctuation do not count."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import filterfalse

_NOT_WORD = re.compile(r"[^0-9a-z]+")
LIGATURES = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "’": "'", "€": " euro ", "%": " pct ", "°": " "})


@lru_cache(maxsize=1 << 16)
def fold(text: str) -> str:
    """`text` in lower-case ASCII letters and digits only: `Nom du bénéficiaire*` → `nomdubeneficiaire`."""
    return _NOT_WORD.sub("", _plain(text))


@lru_cache(maxsize=1 << 16)
def fold_words(text: str) -> str:
    """`text` in lower-case ASCII words, one space between them: `L'Épicerie du Lez` → `l epicerie du lez`."""
    return _NOT_WORD.sub(" ", _plain(text)).strip()


def _plain(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.lower().translate(LIGATURES))
    return "".join(filterfalse(unicodedata.combining, decomposed))
