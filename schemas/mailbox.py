"""Which electronic addresses are those of a function: the only ones a directory or a call may show.

The rule errs on the side of people: what stands before the @ must be made of words that name a function or a body, or
that the line itself uses for its service; a place, or the address's own domain, may only stand beside such a word.
« prenom.nom » has none.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from schemas import territory

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WORDS = frozenset((Path(__file__).parent / "mailbox_words.txt").read_text(encoding="utf-8").split())
"""Words of functions, of bodies and of what they deal with, as mailboxes of services spell them."""
_JOINING = frozenset({"a", "au", "aux", "d", "de", "des", "du", "en", "et", "l", "la", "le", "les", "pour", "sur"})
_GENERIC_DOMAINS = frozenset(
    {"gmail", "orange", "wanadoo", "free", "sfr", "laposte", "hotmail", "outlook", "yahoo", "live"}
)
_ADDRESS = re.compile(r"^([A-Za-z0-9._%+-]+)@((?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,})$")


def is_functional(name: str, *, about: Sequence[str]) -> pl.Expr:
    """True where the column `name` is blank or holds one functional address; `about` are columns whose words count."""

    def judged(cells: dict[str, str | None]) -> bool:
        address = cells[name]
        return address is None or is_functional_address(address, about=[cells[column] for column in about])

    return pl.struct(name, *about).map_elements(judged, return_dtype=pl.Boolean)


def is_functional_address(address: str, *, about: Iterable[str | None] = ()) -> bool:
    """Whether `address` is one address, made of words of a function; `about`: texts that tell of the service."""
    found = _ADDRESS.match(address.strip())
    if found is None:
        return False
    local, domain = found.groups()
    labels = _words(domain)[:-1]
    telling = set(WORDS)
    for text in about:
        words = _words(text or "")
        telling |= {word for word in words if len(word) > 2}
        telling |= {"".join(word[0] for word in words if word not in _JOINING)}
    tokens = set(_words(local))
    passing = _JOINING | _places() | (set(labels) - _GENERIC_DOMAINS)
    return bool(tokens & telling) and tokens <= telling | passing


def _words(text: str) -> list[str]:
    """The words of a text, in ASCII lower case, digits apart from letters and left out."""
    plain = unicodedata.normalize("NFKD", text.lower()).encode("ascii", "ignore").decode("ascii")
    return re.findall(r"[a-z]+", plain)


_PERSON = r"(?i)(?:^|[\s(,;:/])(?:m\.|mr\.?|mme|mlle|monsieur|madame|mademoiselle|m et mme)\s+\p{L}"


def names_nobody(contact: pl.Expr) -> pl.Expr:
    """True where a text names no « M. » nor « Mme » Somebody; null where there is no text."""
    return ~contact.str.contains(_PERSON)


@cache
def _places() -> frozenset[str]:
    """Words of the names of départements and régions; what follows « Saint » may be anybody's name."""
    names = [name for table in ("departements", "regions") for name in territory.tables()[table]["name"]]
    return frozenset(word for name in names for word in _words(re.sub(r"Saint[e]?-\w+", " ", name)))
