"""An organisation's name as the trade compares it: which words identify, which say only a form, a kind or a place.

Text only. What two names have in common is `pairs.py`; nothing here knows of files or funders.
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

import polars as pl

import schemas
from schemas import territory
from schemas.fold import fold_words, folded_words

KINDS = ("own", "generic", "place", "number", "aside", "acronym")
_TELLING = {"own", "generic", "place"}  # a name without a word of these is made only of words that do not count
ACRONYM = 3  # letters of the shortest acronym
LONGEST = 12  # words read for acronyms
TOWN = 10_000  # inhabitants from which a commune's name in a name is taken for a place
_LOST = re.compile(r"(?<=\w)\?|\?(?=\w)")  # « La?que »: a letter that an encoding lost
_DOTTED = re.compile(r"(?<!\w)(?:\w{1,2}\.\s?){1,}\w{1,2}\.?(?!\w)")  # « A.S.C. »
_BRACKETS = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_SPELT = re.compile(r"\b[a-z](?: [a-z]\b)+")  # « a s c »
_ACTION = re.compile(r"^(.{5,}?)\s+Projet\s+\S")  # « Les Francas Projet Éduquer pour prévenir »
_NUMBER = re.compile(r"^(\d+)(?:e|er|ere|eme|ieme|nd|nde)?$")
_ROMAN = {"ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9", "xi": "11", "xii": "12"}


class Name(NamedTuple):
    """One spelling. `words`: those that count, in order, with what they are; `full`: them all, no space.

    Kinds of words (`KINDS`): `aside` is in brackets, `acronym` is that of the other words.
    `initials`: the first letters of the words in a row, with and without the small words; what stands in them, from
    three letters up, is an acronym of the name.
    """

    words: dict[str, str]
    initials: tuple[str, ...]
    full: str
    network: str | None


@dataclass(frozen=True)
class _Words:
    forms: frozenset[str]
    stop: frozenset[str]
    generic: frozenset[str]
    same: dict[str, str]
    notes: tuple[str, ...]
    networks: dict[str, list[frozenset[str]]]
    """The words of each network, by the longest of them."""
    places: frozenset[str]


@cache
def _words() -> _Words:
    path = Path(schemas.__file__).with_name("organisation_words.toml")
    told = tomllib.loads(path.read_text(encoding="utf-8"))
    tables = territory.tables()
    communes = tables["communes"]
    named = communes.filter(communes["population"] >= TOWN)["name"].to_list()
    named += tables["departements"]["name"].to_list() + tables["regions"]["name"].to_list()
    places = {_singular(word) for name in named for word in fold_words(name).split() if len(word) > 3}
    generic = frozenset(told["same"].get(word, _singular(word)) for word in told["generic"])
    networks: defaultdict[str, list[frozenset[str]]] = defaultdict(list)
    for entry in told["networks"]["names"]:
        words = [_singular(word) for word in entry.split()]
        networks[max(words, key=len)].append(frozenset(words))
    return _Words(
        forms=frozenset(told["forms"]),
        stop=frozenset(told["stop"]),
        generic=generic,
        same=told["same"],
        notes=tuple(f"(?i){pattern}" for pattern in told["notes"]["patterns"]),
        networks=dict(networks),
        places=frozenset(places - generic - {"saint", "sainte"} | set(told["areas"])),
    )


def read_name(text: str) -> Name:
    """`text`, read. A name made only of words that do not count keeps them all."""
    return read(*parts(pl.Series([text])).row(0))


def parts(texts: pl.Series) -> pl.DataFrame:
    """`main`: the folded words that name the body; `aside`: those in brackets, a line for each. All texts at once."""
    for note in _words().notes:
        texts = texts.str.replace_all(note, " ")
    found = pl.DataFrame(list(map(_parts, texts)), schema={"main": pl.String, "aside": pl.String}, orient="row")
    return found.with_columns(folded_words(found["main"]))


def _parts(text: str) -> tuple[str, str]:
    """What names the body, as written, and what stands in brackets. Few names have any of what is looked for here."""
    if "?" in text:
        text = _LOST.sub("", text)
    if "Projet" in text and (action := _ACTION.match(text)) and len(fold_words(action[1]).split()) > 1:
        text = action[1]
    if "." in text:
        text = _DOTTED.sub(lambda found: re.sub(r"[.\s]", "", found[0]) + " ", text)
    if "(" not in text and "[" not in text:
        return text, ""
    return _BRACKETS.sub(" ", text), "\n".join(filter(None, map(fold_words, _BRACKETS.findall(text))))


def read(main: str, aside: str) -> Name:
    """A name from its `parts`."""
    lists = _words()
    words = everything = _split(main)
    bracketed = {word for part in aside.splitlines() for word in _split(part)}
    if bracketed:
        everything = words + [word for word in _split(aside.replace("\n", " ")) if word not in words]
        words = words or everything
    initials = _initials(words)
    kinds: dict[str, str] = {}
    last = len(words) - 1
    for position, word in enumerate(everything):
        spelling, kind, _ = _known(word)
        if kind == "none" or spelling in kinds:
            continue
        is_aside = word in bracketed
        is_end = position in (0, last) or is_aside
        if is_end and len(word) >= ACRONYM and any(word in letters for letters in initials):
            kind = "acronym"
        elif is_aside and kind != "number":
            kind = "aside"
        kinds[spelling] = kind
    if _TELLING.isdisjoint(kinds.values()):
        kinds = {_singular(word): kinds.get(word, "generic") for word in everything}
    return Name(kinds, initials, "".join(kinds), None if lists.networks.keys().isdisjoint(kinds) else _network(kinds))


def _network(kinds: dict[str, str]) -> str | None:
    """The first network whose words are all there."""
    networks = _words().networks
    borne = (entry for word in kinds for entry in networks.get(word, ()))
    return next((" ".join(sorted(entry)) for entry in borne if entry <= kinds.keys()), None)


def forget_words() -> None:
    """Let go of the words remembered: scattered among all that names made, they keep its memory from returning."""
    _known.cache_clear()
    fold_words.cache_clear()


def _split(folded: str) -> list[str]:
    """Words; single letters that follow one another are one acronym (« A S C »), roman numbers are numbers."""
    return [_ROMAN.get(word, word) for word in _SPELT.sub(_together, folded).split()]


def _together(letters: re.Match[str]) -> str:
    return letters[0].replace(" ", "")


@lru_cache(maxsize=1 << 16)
def _known(word: str) -> tuple[str, str, str]:
    """The one spelling of a word, its kind wherever it stands (`none`: it never counts) and its initial, if a letter.

    The same words come back in name after name.
    """
    lists = _words()
    initial = word[0] if word.isalpha() else ""
    singular = _singular(word)
    spelling = lists.same.get(word, lists.same.get(singular, singular))
    if word in lists.stop or word in lists.forms:
        return spelling, "none", initial
    if _NUMBER.match(word):
        return spelling, "number", initial
    if spelling in lists.generic:
        return spelling, "generic", initial
    return spelling, "place" if spelling in lists.places else "own", initial


def _singular(word: str) -> str:
    if found := _NUMBER.match(word):
        return str(int(found[1]))
    return word[:-1] if len(word) > 4 and word[-1] in "sx" else word


def _initials(words: list[str]) -> tuple[str, ...]:
    """The first letters of words, with and without the small ones."""
    small = _words().stop
    letters = "".join([_known(word)[2] for word in words])[:LONGEST]
    strong = letters if small.isdisjoint(words) else "".join([_known(w)[2] for w in words if w not in small])[:LONGEST]
    return tuple([made for made in dict.fromkeys((letters, strong)) if len(made) >= ACRONYM])
