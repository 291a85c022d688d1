"""The fields that help but decide nothing (object, scheme, postcode, dates…) in a table of an unknown format.

Each is read only where title and cells agree and no rival stands; otherwise the column stays unread, and is listed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.fold import fold_words
from pipelines.ingest.guess import BY_BOTH, BY_CELLS
from pipelines.ingest.titles import title_key
from pipelines.ingest.units import IN_WHICH_UNIT
from schemas.synonyms import load_synonyms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pipelines.ingest.evidence import Column
    from pipelines.ingest.guess import Guess

_TEXTS = ("title", "scheme", "theme_raw", "budget_programme", "seat_commune_name", "in_kind_type", "payment_conditions")
_FREE = ("decision_reference", "rae_id", "refusal_reason", "cofunders")
_DATES = ("deposited_date", "period_start", "period_end", "first_paid_date")
_RNA = r"^[Ww]\d[A-Za-z\d]\d{7}$"
_EUROS = {"eur", "euro", "euros", "€", ""}
_MOST_KINDS = 30
_MULTI_YEAR = {"pluriannuel": "oui", "annuel": "non"}


def find_others(guess: Guess) -> None:
    """Place what can be placed; only currencies that no code tells are asked."""
    for name in (*_TEXTS, "service_name"):
        _place(guess, name, lambda column: column.has_names, first=name == "title")
    for name in _FREE:
        _place(guess, name, lambda _: True)
    for name in _DATES:
        _place(guess, name, lambda column: column.share(column.dates) >= 0.9)
    _place(guess, "payment_period", lambda column: column.share(column.text.str.contains(r"(19|20)\d{2}")) >= 0.9)
    _place(guess, "seat_postcode", lambda column: column.share(column.text.str.contains(r"^\d{4,5}(\.0)?$")) >= 0.9)
    _place(guess, "seat_commune_code", lambda column: column.share(column.text.str.contains(r"^\d[\dAB]\d{3}$")) >= 0.9)
    _place(guess, "applicant_rna", lambda column: column.share(column.text.str.contains(_RNA)) >= 0.5)
    _place(guess, "currency", lambda column: column.share(column.text.str.contains(r"^[A-Z]{3}$")) == 1)
    unread = list(guess.free)
    if any(not set(column.words) <= _EUROS for column in guess.titled("field", "currency") if column in unread):
        guess.ask(IN_WHICH_UNIT)
    _place(guess, "beneficiary_share", lambda column: column.has_numbers)
    _place(guess, "eu_notification", _is_answer)
    _place(guess, "applicant_local_id", _numbers_the_applicant(guess))
    _place(guess, "case_number", _numbers_the_line(guess))
    _find_rna(guess)
    _find_service(guess)
    _find_nature(guess)
    _find_kind(guess)
    for column in guess.titled("ignore"):
        guess.ignored.setdefault(column.letter, column.title.meaning.name if column.title.meaning else "")


def _place(guess: Guess, name: str, agrees: Callable[[Column], bool], *, first: bool = False) -> None:
    free = list(guess.free)
    candidates = [column for column in guess.titled("field", name) if column in free and agrees(column)]
    column = candidates[0] if first and candidates else guess.one_of(name, candidates, ask=False)
    if column is not None and name not in guess.fields:
        guess.place(name, column)


def _is_answer(column: Column) -> bool:
    return set(column.words) <= {"oui", "non", "o", "n", "vrai", "faux"}


def _numbers_the_applicant(guess: Guess) -> Callable[[Column], bool]:
    """Whether each number stands for one name, nearly."""
    name = guess.fields.get("applicant_name")

    def agrees(column: Column) -> bool:
        if name is None:
            return False
        pairs = pl.DataFrame({"number": column.folded, "name": name.folded}).drop_nulls().unique()
        return pairs.height > 0 and pairs["number"].n_unique() >= 0.9 * pairs.height

    return agrees


def _numbers_the_line(guess: Guess) -> Callable[[Column], bool]:
    """Whether numbers hardly repeat: one that does would make several lines one application."""

    def agrees(column: Column) -> bool:
        return column.distinct >= 0.98 * column.text.len()

    return agrees


def _find_rna(guess: Guess) -> None:
    if "applicant_rna" in guess.fields or "applicant_name" not in guess.fields:
        return
    found = [
        column
        for column in guess.free
        if column.title.meaning is None
        and column.title.text.strip()
        and column.share(column.text.str.contains(_RNA)) >= 0.9
    ]
    if len(found) == 1:
        guess.place("applicant_rna", found[0], BY_CELLS)


def _find_service(guess: Guess) -> None:
    """« Service » or « Direction »: an examining service when few of them examine many lines."""
    if "service_name" in guess.fields:
        return
    weak = [c for c in guess.titled("weak", "service_name") if c.has_names and c.distinct <= 0.3 * c.text.len()]
    if len(weak) == 1:
        guess.place("service_name", weak[0], BY_BOTH)


def _find_nature(guess: Guess) -> None:
    """A form of aid or a purpose: every word must be known, of one list or of the other."""
    table = load_synonyms()
    for column in guess.titled("nature"):
        for name, listed in (("aid_form", table.aid_forms), ("purpose", table.purposes)):
            known = _by_key(listed)
            if name not in guess.fields and all(key in known for key in column.words):
                guess.place(name, column, BY_BOTH)
                guess.values[name] = {cell: known[title_key(cell)] for cell in column.cells.unique(maintain_order=True)}
                break


def _find_kind(guess: Guess) -> None:
    """The column of legal forms, by its title or since it says « personne physique »; other words say what they may."""
    known = _by_key(load_synonyms().kinds)
    for column in list(guess.free):
        said = {cell: known.get(title_key(cell), "") for cell in column.words.values()}
        is_titled = "juridique" in fold_words(column.title.text) and "legal" in said.values()
        if len(said) <= _MOST_KINDS and (is_titled or "natural" in said.values()):
            guess.place("applicant_kind", column, BY_CELLS)
            guess.values["applicant_kind"] = said
            return


def _by_key(listed: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    return {title_key(word): code for code, words in listed.items() for word in words}
