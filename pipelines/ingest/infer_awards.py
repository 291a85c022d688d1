"""What was decided where no column says it, in a table of an unknown format: every line is an award, or it is asked.

A line without money is one by no rule: its author says whether it was refused, is awaited, or is the title of those
below it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.french import count
from pipelines.ingest.guess import listed_columns
from pipelines.ingest.infer_amounts import stage_of_list
from pipelines.ingest.infer_decision import decision_choices, may_decide, says_some
from pipelines.ingest.infer_headings import asked_about_titles, lonely_names, take_for_headings
from schemas.distinct import uniform
from schemas.format import AmountRule
from schemas.synonyms import load_synonyms

if TYPE_CHECKING:
    from pipelines.ingest.evidence import Column
    from pipelines.ingest.guess import Guess

_OTHER_AID = ("amount_loan", "amount_guarantee", "amount_in_kind")
_ONLY_AWARDS = "Le fichier contient-il seulement des demandes accordées, ou aussi des refus et des demandes en cours ?"
_AWARDS_ALONE = {"yes": "seulement des demandes accordées"}
_DECIDES = {
    "yes": "oui : ses mots disent ce qui a été décidé",
    "no": "non : elle ne dit pas ce qui a été décidé",
}
_HEADING = {"heading": "des titres de rubrique, pour les lignes du dessous"}
_UNKNOWN = {"unknown": "on ne sait pas : à compter sans décision"}
_OVERLOOKED = 0.02
"""Share of the lines of a list of awards whose amount may have been left blank by mistake."""


def find_awards(guess: Guess) -> None:
    """Hold that every line is an award by what the list or its amounts say, or that money tells; else ask."""
    told = [column for column in guess.free if may_decide(column) or says_some(column)]
    if told and not _decides_nothing(guess, told):
        guess.rivals["decision_status"] = told
        return
    declared = stage_of_list(guess) is not None
    requested = "amount_requested" in guess.fields or "amount_requested" in guess.wide_fields.values()
    otherwise = not declared and (_says_otherwise(guess) or requested)
    amount = guess.fields.get(f"amount_{guess.stage}")
    if amount is None:
        if guess.wide and not _without_award(guess) and (not otherwise or _are_only_awards(guess)):
            guess.constants["decision_status"] = "awarded"  # a blank year is no line
        return
    unread = amount.text.is_not_null() & amount.amounts.is_null()  # asked once the lines are read
    nothing = int(((amount.amounts.fill_null(0) == 0) & ~unread).sum()) - _other_aid(guess, amount)
    zeros = int((amount.amounts == 0).sum())
    few = max(1, _OVERLOOKED * amount.text.len()) if declared and not zeros and not lonely_names(guess).any() else 0
    if nothing > few:
        _ask_what_nothing_means(guess, amount, zeros)
    elif not otherwise or _are_only_awards(guess):
        guess.constants["decision_status"] = "awarded"


def _decides_nothing(guess: Guess, told: list[Column]) -> bool:
    """Whether the author said so of the only column that may decide."""
    about = f"decides {told[0].key}" if len(told) == 1 and told[0].key else None
    question = f"La décision (accordée, refusée…) se lit-elle dans {listed_columns(told)} ?"
    return guess.ask(question, about=about, choices=_DECIDES) == "no"


def _are_only_awards(guess: Guess) -> bool:
    return guess.ask(_ONLY_AWARDS, about="only awards", choices=_AWARDS_ALONE) is not None


def _says_otherwise(guess: Guess) -> bool:
    return any(re.search(load_synonyms().lists.others, name) for name in guess.names)


def _other_aid(guess: Guess, amount: Column) -> int:
    """Lines without a grant that hold a loan, a guarantee or aid in kind."""
    others = [guess.fields[name] for name in _OTHER_AID if name in guess.fields]
    if not others:
        return 0
    nothing = amount.amounts.fill_null(0) == 0
    other = pl.select(pl.any_horizontal(column.amounts.fill_null(0) > 0 for column in others)).to_series()
    return int((nothing & other).sum())


def _ask_what_nothing_means(guess: Guess, amount: Column, zeros: int) -> None:
    """Take what the author says of zeros, and of blanks, for the decision of their lines; ask it."""
    blanks = amount.text.null_count()
    lonely = lonely_names(guess)
    if asked_about_titles(guess, lonely):
        return
    others = {code: label for code, label in decision_choices().items() if code != "awarded"} | _UNKNOWN
    said: dict[str, str] = {}
    for kind, lines, what in (("zero", zeros, "à zéro"), ("blank", blanks, "sans montant")):
        if not lines:
            continue
        are_titles = kind == "blank" and int(lonely.sum()) == lines
        answer = guess.ask(
            f"{count(lines, 'ligne')} {what} dans la colonne {amount.called} : sont-ce des refus, des demandes en "
            "cours, des oublis, ou des titres de rubrique ?",
            about=None if _other_aid(guess, amount) else f"{kind} {amount.key}",
            choices=others | (_HEADING if are_titles else {}),
        )
        if answer is None:
            return
        said[kind] = answer
    if said.get("blank") in _HEADING:
        take_for_headings(guess, lonely)
        del said["blank"]
        if not said:
            guess.constants["decision_status"] = "awarded"
            return
    guess.decision = AmountRule(
        amount=f"amount_{guess.stage}",
        positive="awarded",
        zero=said.get("zero", "unknown"),
        blank=said.get("blank", "unknown"),
    )


def _without_award(guess: Guess) -> bool:
    """Take what the author says of the years asked for and not granted for the decision of their lines; ask it."""
    asked, granted = _by_year(guess, "requested", "proposed"), _by_year(guess, guess.stage or "")
    nothing = {year: int((wanted & ~_or_none(granted, year, wanted)).sum()) for year, wanted in asked.items()}
    undecided = [year for year, lines in nothing.items() if lines and not _or_none(granted, year, asked[year]).any()]
    if undecided:
        guess.ask(
            f"Aucun montant n'est accordé pour {undecided[0]} : ces demandes sont-elles en cours ? Mettez-les dans un "
            "autre fichier, avec une colonne « Statut »."
        )
        return True
    lines = sum(nothing.values())
    if not lines:
        return False
    others = {code: label for code, label in decision_choices().items() if code != "awarded"} | _UNKNOWN
    answer = guess.ask(
        f"{count(lines, 'demande')} sans montant accordé, ou à zéro, dans les colonnes d'années : sont-ce des refus, "
        "des demandes en cours ou des oublis ?",
        about="blank years",
        choices=others,
    )
    if answer is not None:
        guess.decision = AmountRule(amount=f"amount_{guess.stage}", positive="awarded", zero=answer, blank=answer)
    return True


def _by_year(guess: Guess, *stages: str) -> dict[int, pl.Series]:
    """Year → the lines that hold an amount of one of these stages for it."""
    names = {f"amount_{stage}" for stage in stages}
    found: dict[int, pl.Series] = {}
    for column in guess.wide:
        year = column.title.year
        if year is not None and guess.wide_fields.get(column.letter) in names:
            filled = column.amounts.fill_null(0) != 0
            found[year] = filled | found[year] if year in found else filled
    return found


def _or_none(granted: dict[int, pl.Series], year: int, like: pl.Series) -> pl.Series:
    return granted[year] if year in granted else uniform(False, like.len(), dtype=pl.Boolean)
