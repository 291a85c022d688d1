"""What a search compares: texts without accents or case, cut into words. `static/search.js` does so to queries."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from functools import cache
from pathlib import Path

import schemas

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


@cache
def spelt_out() -> dict[str, str]:
    """Each short word that readers type, with the words that it stands for (`schemas/search_words.toml`)."""
    path = Path(schemas.__file__).with_name("search_words.toml")
    return dict(tomllib.loads(path.read_text(encoding="utf-8"))["spelt_out"])


def words(text: str) -> list[str]:
    """The words of `text`, folded, in order, without the stop words, then those that short ones stand for."""
    found = [word for word in _SIGNS.split(folded(text)) if word and word not in STOP_WORDS]
    return [*found, *(word for short in found for word in spelt_out().get(short, "").split())]
