"""What a search compares: texts without accents or case, cut into words. `static/search.js` does so to queries."""

from __future__ import annotations

import re
import unicodedata

STOP_WORDS = (
    "a", "ass", "asso", "association", "associations", "au", "aux", "d", "de", "des", "du", "en", "et", "l", "la", "le",
    "les", "pour",
)  # fmt: skip
"""Words that names of associations nearly all share: neither indexed nor looked for, and the page says so."""
_SIGNS = re.compile(r"[\W_]+")
_MARKS = re.compile(r"[\u0300-\u036f]")
_JOINED = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss"})


def folded(text: str) -> str:
    """`text` in lower case without accents; ligatures are spelt out."""
    return _MARKS.sub("", unicodedata.normalize("NFD", text)).lower().translate(_JOINED)


def words(text: str) -> list[str]:
    """The words of `text`, folded, in order, without the stop words."""
    return [word for word in _SIGNS.split(folded(text)) if word and word not in STOP_WORDS]
