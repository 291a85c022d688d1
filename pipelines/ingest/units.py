"""In what a file writes its amounts: euros, thousands or millions of them, another currency. Asked, never guessed.

A title that says « k€ » may have been kept when the cells became euros: only the author knows. The answer is applied to
the amounts that bear no unit of their own.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.fold import fold_words
from pipelines.ingest.report import Question
from schemas.contracts import APPLICATION
from schemas.format import INFERRED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipelines.ingest.derive import Origin
    from pipelines.ingest.recognise import Header

ABOUT = "unit"
TIMES = {"euro": 1, "thousand": 1_000, "million": 1_000_000}
"""What is answered → how many euros one is."""
_WORDS = {"euro": "en euros", "thousand": "en milliers d'euros", "million": "en millions d'euros"}
_EUROS = {"euro": _WORDS["euro"]}
_WHICH = (
    "En quelle unité sont les montants : en euros, en milliers d'euros, en millions d'euros, ou dans une autre "
    "monnaie ? Si c'est une autre monnaie, ajoutez une colonne « Devise »."
)
IN_WHICH_UNIT = (
    "En quelle unité sont les montants : en euros, en milliers d'euros, ou dans une autre monnaie ? S'ils ne sont pas "
    "tous en euros, réécrivez-les en euros, ou ajoutez une colonne « Devise »."
)
_BANNER = 20  # rows above the titles
_SCALES = re.compile(r"\b(milliers?|millions?|k euros?|keur|k eur|m euros?|meur)\b")
_CURRENCIES = re.compile(
    r"\b(mds?|milliards?|francs?|f?cfa|cfp|xpf|xof|xaf|chf|gbp|usd|cad|mad|dhs?|dollars?|dirhams?|dinars?|ariary|"
    r"livres sterling)\b"
)
_SIGNS = re.compile(r"[$£¥]")  # no word: folding leaves them out


def unit_question(amounts: Iterable[str], others: Iterable[str], *, has_codes: bool = False) -> Question | None:
    """What to ask when something speaks of thousands or of another currency; None when nothing does.

    `amounts` are the titles of the columns of amounts, `others` what else may tell. One answer holds for all amounts:
    none but euros is offered where some of their titles say thousands and others do not. `has_codes`: a column tells
    the currency of each line, so none is asked.
    """
    raw = [*(amounts := list(amounts)), *(others := list(others))]
    titles, around = [fold_words(text) for text in amounts], [fold_words(text) for text in others]
    is_scaled = [bool(_SCALES.search(text)) for text in titles]
    says_scale = any(is_scaled) or any(map(_SCALES.search, around))
    says_currency = any(map(_CURRENCIES.search, (*titles, *around))) or any(map(_SIGNS.search, raw))
    says_currency = says_currency and not has_codes
    if not (says_scale or says_currency):
        return None
    if says_currency or (any(is_scaled) and not all(is_scaled)):
        return Question(IN_WHICH_UNIT, ABOUT, _EUROS)
    return Question(_WHICH, ABOUT, _WORDS)


def question_of(header: Header) -> Question | None:
    """What to ask of a table of a known format: by the titles of its amounts, and the rows above its titles."""
    above = header.sheet.cells.filter(pl.col("row") < header.top).tail(_BANNER)
    said = [text for row in above.iter_rows() for text in row[1:] if text]
    amounts = [title for letter, title in header.titles.items() if header.fields.get(letter, "").startswith("amount_")]
    return unit_question(amounts, said, has_codes="currency" in header.fields.values())


def times(question: Question | None, answers: Mapping[str, str]) -> int:
    """How many euros one is, as the author answers; 1 without an answer, or where nothing asks any more.

    A file deposited again under its name, in euros, must not be multiplied by a former answer.
    """
    code = answers.get(ABOUT, "")
    return 1 if question is None or code not in question.choices else TIMES[code]


def with_units(header: Header, origin: Origin) -> Header:
    """The header whose format, a known one, reads amounts in the unit that the author answered."""
    format_ = header.format
    if ABOUT not in origin.answers or format_.id == INFERRED or format_.contract != APPLICATION:
        return header
    factor = times(question_of(header), origin.answers)
    if factor == 1:
        return header
    names = {name.partition(".")[0] for name in header.fields.values() if name.startswith("amount_")}
    rules = {name: format_.rule(name).model_copy(update={"times": factor}) for name in names}
    return replace(header, format=format_.model_copy(update={"fields": {**format_.fields, **rules}}))


def told(header: Header) -> str | None:
    """The words (French) that say how amounts are read, when it is not in euros."""
    factors = {rule.times for rule in header.format.fields.values()} - {1}
    code = next((code for code, factor in TIMES.items() if factor in factors), None)
    return None if code is None else f"Les montants sont lus {_WORDS[code]}, d'après votre réponse."
