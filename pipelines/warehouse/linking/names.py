"""An organisation's name as the trade compares it: which words identify, which say only a form, a kind or a place.

Text only. What two names have in common is `pairs.py`; nothing here knows of files or funders.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import schemas
from schemas import territory
from schemas.fold import fold_words

LONGEST = 12  # words read for acronyms
TOWN = 10_000  # inhabitants from which a commune's name in a name is taken for a place
_LOST = re.compile(r"(?<=\w)\?|\?(?=\w)")  # « La?que »: a letter that an encoding lost
_DOTTED = re.compile(r"(?<!\w)(?:\w{1,2}\.\s?){1,}\w{1,2}\.?(?!\w)")  # « A.S.C. »
_BRACKETS = re.compile(r"[(\[]([^()\[\]]*)[)\]]")
_ACTION = re.compile(r"^(.{5,}?)\s+Projet\s+\S")  # « Les Francas Projet Éduquer pour prévenir »
_NUMBER = re.compile(r"^(\d+)(?:e|er|ere|eme|ieme|nd|nde)?$")
_ROMAN = {"ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9", "xi": "11", "xii": "12"}


@dataclass(frozen=True)
class Name:
    """One spelling. `words`: those that count, once each, with what they are; `full`: them all, in order, no space.

    Kinds of words: `own`, `generic`, `place`, `number`, `aside` (in brackets), `acronym` (of the other words).
    """

    words: tuple[tuple[str, str], ...]
    initials: frozenset[str]
    full: str
    network: str | None


@dataclass(frozen=True)
class _Words:
    forms: frozenset[str]
    stop: frozenset[str]
    generic: frozenset[str]
    same: dict[str, str]
    notes: tuple[re.Pattern[str], ...]
    networks: tuple[frozenset[str], ...]
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
    return _Words(
        forms=frozenset(told["forms"]),
        stop=frozenset(told["stop"]),
        generic=generic,
        same=told["same"],
        notes=tuple(re.compile(pattern, re.IGNORECASE) for pattern in told["notes"]["patterns"]),
        networks=tuple(frozenset(map(_singular, entry.split())) for entry in told["networks"]["names"]),
        places=frozenset(places - generic - {"saint", "sainte"} | set(told["areas"])),
    )


def read_name(text: str) -> Name:
    """`text`, read. A name made only of words that do not count keeps them all."""
    lists = _words()
    for note in lists.notes:
        text = note.sub(" ", text)
    text = _LOST.sub("", text)
    if (action := _ACTION.match(text)) and len(fold_words(action[1]).split()) > 1:
        text = action[1]
    text = _DOTTED.sub(lambda found: re.sub(r"[.\s]", "", found[0]) + " ", text)
    asides = _BRACKETS.findall(text)
    aside = {word for part in asides for word in _split(part)}
    main = _split(_BRACKETS.sub(" ", text) if asides else text)
    everything = main + [word for word in _split(" ".join(asides)) if word not in main] if asides else main
    if not main:
        main = everything
    initials = _initials(main)
    kinds: dict[str, str] = {}
    for position, word in enumerate(everything):
        if word in lists.stop or word in lists.forms:
            continue
        is_end = position in (0, len(main) - 1) or word in aside
        spelling, kind = _one_spelling(word)
        kinds.setdefault(spelling, _here(word, kind, initials if is_end else frozenset(), aside))
    if not any(kind in ("own", "generic", "place") for kind in kinds.values()):
        kinds = {_singular(word): kinds.get(word, "generic") for word in everything}
    bag = frozenset(kinds)
    network = next((" ".join(sorted(entry)) for entry in lists.networks if entry <= bag), None)
    return Name(tuple(kinds.items()), initials, "".join(kinds), network)


def forget_words() -> None:
    """Let go of the words remembered: scattered among all that names made, they keep its memory from returning."""
    _one_spelling.cache_clear()
    fold_words.cache_clear()


def _split(text: str) -> list[str]:
    """Folded words; single letters that follow one another are one acronym (« A S C »), roman numbers are numbers."""
    words: list[str] = []
    letters = ""
    for word in [*fold_words(text).split(), ""]:
        if len(word) == 1 and word.isalpha():
            letters += word
            continue
        if letters:
            words += [letters]
            letters = ""
        if word:
            words.append(_ROMAN.get(word, word))
    return words


def _here(word: str, kind: str, initials: frozenset[str], aside: set[str]) -> str:
    """What a word of this kind is in one name: the acronym of the others, a word in brackets, or its kind."""
    if word in initials:
        return "acronym"
    return "aside" if word in aside and kind != "number" else kind


@lru_cache(maxsize=1 << 16)
def _one_spelling(word: str) -> tuple[str, str]:
    """The one spelling of a word, and its kind wherever it stands: the same words come back in name after name."""
    lists = _words()
    singular = _singular(word)
    spelling = lists.same.get(word, lists.same.get(singular, singular))
    if _NUMBER.match(word):
        return spelling, "number"
    if spelling in lists.generic:
        return spelling, "generic"
    return spelling, "place" if spelling in lists.places else "own"


def _singular(word: str) -> str:
    if found := _NUMBER.match(word):
        return str(int(found[1]))
    return word[:-1] if len(word) > 4 and word[-1] in "sx" else word


def _initials(words: list[str]) -> frozenset[str]:
    """Acronyms that words in a row make, from three letters up, with and without the small words."""
    lists = _words()
    strong = [word for word in words if word not in lists.stop]
    made = set()
    for run in (words, strong) if len(strong) < len(words) else (words,):
        letters = "".join(word[0] for word in run if word.isalpha())[:LONGEST]
        made |= {letters[start:end] for start in range(len(letters)) for end in range(start + 3, len(letters) + 1)}
    return frozenset(made)
