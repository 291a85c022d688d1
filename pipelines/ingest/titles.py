"""Titles of columns → what they may mean, by the words of `schemas/synonyms.toml`. For inference only.

Words are compared without case, accents, articles, plural or feminine endings, years, units and names of State schemes
(« Montant DETR 2023 »). What stands in brackets is left out only where it says how to write; « Montant (demandé) » is
not « Montant ».
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from pipelines.ingest.fold import fold, fold_words
from schemas.synonyms import load_synonyms

if TYPE_CHECKING:
    from collections.abc import Iterator

_SMALL = frozenset(
    "de d du des la le les l un une en a au aux par pour et ou est of the euro euros eur ttc ht".split()  # noqa: SIM905
)
_SCHEMES = frozenset({"detr", "dsil", "dsid", "dpv", "fnadt", "fdva", "fdva1", "fdva2", "fipd", "mildeca", "fonjep"})
_NUMBER = frozenset({"n", "no", "num", "numero", "nos"})
_SHORT = {"subv": "subvention", "mt": "montant", "mnt": "montant", "mtt": "montant", "asso": "association",
          "assoc": "association", "benef": "beneficiaire", "exerc": "exercice", "subside": "subvention",
          "subsides": "subvention"}  # fmt: skip
_MISSPELT = {"beneficair": "beneficiair", "beneficiar": "beneficiair"}  # stems, as published files write them
_WHOLE = frozenset({"pays"})  # not « payé »
_YEAR = re.compile(r"(?:19|20)\d{2}")
_UNIT = re.compile(r"\b(en )?(k|m|milliers?|millions?) (d )?(euros?|eur)\b|\b[km]eur\b|\ben (milliers|millions)\b")
_HALVES = 2
_CAMEL = re.compile(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Þ])")
_BRACKETS = re.compile(r"\(([^()]*)\)|\[([^\[\]]*)\]")
_HINT = re.compile(
    r"^(?:(?:siret|siren|rna|nir|aaaa|mm|jj|yyyy|dd|an|chiffres?|caracteres?|texte?|format|oui|non|obligatoire|"
    r"facultatif|euros?|eur|chf|gbp|usd|cad|xpf|ttc|ht|en|ou|de|du|la|le|des|s|numero|n|\d{1,2})\s?)*$"
)

Kind = Literal["field", "weak", "name", "id", "nature", "amount", "date", "year", "ignore"]


@dataclass(frozen=True)
class Meaning:
    """What a title may mean: `field` or `weak` names one field, `ignore` a reason, the other kinds say too little."""

    kind: Kind
    name: str = ""


@dataclass(frozen=True)
class Title:
    """A title read: its meaning (None: unknown) and the year it bears, if any."""

    text: str
    meaning: Meaning | None
    year: int | None


def title_key(text: str) -> str:
    """The telling words of a title, put together: `Nom de l'association (raison sociale)*` → `nomassociation…`."""
    words = _UNIT.sub(" ", fold_words(_CAMEL.sub(" ", _BRACKETS.sub(_unless_hint, text)))).split()
    return "".join(
        _stem(word) for word in words if word not in _SMALL and word not in _SCHEMES and not _YEAR.fullmatch(word)
    )


def read_title(text: str) -> Title:
    """What a title means, and the year it bears."""
    years = years_in(text)
    meaning = _meaning(text) or _said_twice(text)
    return Title(text, meaning, years.pop() if len(years) == 1 else None)


def years_in(text: str) -> set[int]:
    """The years that a title bears."""
    return {int(year) for year in re.findall(r"(?<!\d)(?:19|20)\d{2}(?!\d)", text)}


def _meaning(text: str) -> Meaning | None:
    return meanings().get(title_key(text)) or _run_together().get(fold(text))


def _said_twice(text: str) -> Meaning | None:
    """What a title in two languages says (« Nom du bénéficiaire / Beneficiary name »): one half must not say more.

    An amount beside other words may be two things.
    """
    halves = text.split(" / ")
    said = {meaning for half in halves if (meaning := _meaning(half)) is not None}
    if len(halves) != _HALVES or len(said) != 1:
        return None
    [meaning] = said
    is_amount = meaning.kind == "amount" or meaning.name.startswith("amount_")
    return meaning if not is_amount or all(_meaning(half) == meaning for half in halves) else None


@cache
def meanings() -> dict[str, Meaning]:
    """Every title of the table, by its key. Raises `ValueError` when one stands in two places."""
    known: dict[str, Meaning] = {}
    for title, meaning in _listed():
        if known.setdefault(title_key(title), meaning) != meaning:
            raise ValueError(f"synonyms.toml: « {title} » stands in two places")
    return known


def _listed() -> Iterator[tuple[str, Meaning]]:
    """Every title of the table with what it may mean."""
    table = load_synonyms()
    listed: list[tuple[Meaning, tuple[str, ...]]] = []
    for name, spellings in table.fields.items():
        listed += [(Meaning("field", name), spellings.titles), (Meaning("weak", name), spellings.weak)]
    either = table.either
    listed += [
        (Meaning("name"), either.name),
        (Meaning("id"), either.id),
        (Meaning("nature"), either.nature),
        (Meaning("amount"), either.amount),
        (Meaning("date"), either.date),
        (Meaning("year"), either.year),
    ]
    listed += [(Meaning("ignore", reason), titles) for reason, titles in table.ignore.items()]
    return ((title, meaning) for meaning, titles in listed for title in titles)


@cache
def _run_together() -> dict[str, Meaning]:
    """Every title of the table in one word, as databases write it (`datedeconvention`), unless it means two things."""
    whole: dict[str, Meaning | None] = {}
    for title, meaning in _listed():
        whole[fold(title)] = meaning if whole.get(fold(title), meaning) == meaning else None
    return {key: meaning for key, meaning in whole.items() if meaning is not None}


@cache
def convention_keys() -> frozenset[str]:
    """The keys of the titles that only the legal list of signed conventions has."""
    return frozenset(title_key(title) for title in load_synonyms().lists.conventions)


@cache
def mandate_keys() -> frozenset[str]:
    """The keys of the titles that only a list of payment orders has."""
    return frozenset(title_key(title) for title in load_synonyms().lists.mandates)


def _stem(word: str) -> str:
    if word in _NUMBER:
        return "numero"
    word = _SHORT.get(word, word)
    if word in _WHOLE:
        return word
    stem = word.removesuffix("s").rstrip("e") or word
    return _MISSPELT.get(stem, stem)


def _unless_hint(found: re.Match[str]) -> str:
    inside = found[1] if found[1] is not None else found[2]
    return " " if _HINT.match(fold_words(inside)) else f" {inside} "
