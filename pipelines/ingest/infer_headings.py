"""Rows that only title those below them, in a table of an unknown format: no line, and their words kept as a theme.

A lonely first cell that stands beside the column of names is one. A lonely name is one, or a grant whose amount is
missing: only the author can tell.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.evidence import Column
from pipelines.ingest.fold import fold_words
from pipelines.ingest.personal import mask
from pipelines.ingest.sums import adding_up
from pipelines.ingest.titles import title_key
from schemas.distinct import uniform
from schemas.format import ColumnRule, SectionRule
from schemas.synonyms import load_synonyms

if TYPE_CHECKING:
    from pipelines.ingest.guess import Guess

_BEARS = re.compile(
    r"(refus|rejet|irrecevab|ineligib|defavorab|ajourn|annul|abandon|desist|sans suite|en attente|en cours|"
    r"en instruction|non (retenu|accord|attribu|finance|recevab|elig))|"
    r"^(demandes?|propos\w*|sollicit\w*|reports?|rappels?|prets?|garanties?|avances?|emprunts?|recettes?|annees?|"
    r"exercices?|n 1|(19|20)\d\d)\b"
)
"""What a title over lines may say that would change how they count: a decision, a stage, a loan, another year."""
_MOST_HEADINGS = 200
_LONGEST = 120


def set_headings_aside(guess: Guess) -> None:
    """Take the rows that hold nothing but a first cell that is no name for the titles of those below."""
    named = guess.titled("field", "applicant_name")
    first = guess.sheet.letters[0]
    if len(named) != 1 or named[0].letter == first or first not in [column.letter for column in guess.columns]:
        return
    alone = _alone(guess, first)
    lines = named[0].text.is_not_null()
    if asked_about_titles(guess, alone):
        return
    if alone.any() and lines.any() and not alone.tail(1).item() and int(alone.sum()) < int(lines.sum()):
        take_for_headings(guess, alone)


def set_totals_aside(guess: Guess) -> None:
    """Leave out the rows that name nobody and whose amounts add up the lines, as the reading will."""
    named = guess.titled("field", "applicant_name") or guess.titled("weak", "applicant_name")
    if len(named) != 1:
        return
    nobody = named[0].text.is_null().arg_true().to_list()
    amounts = {column.letter: column.amounts for column in guess.columns if column.has_numbers and _is_money(column)}
    if nobody and amounts and len(nobody) < named[0].cells.len():
        sums = adding_up(amounts, nobody)
        guess.has_bare_totals = bool(sums)
        leave_out(guess, pl.Series([place in sums for place in range(named[0].text.len())], dtype=pl.Boolean))


def _is_money(column: Column) -> bool:
    meaning = column.title.meaning
    return meaning is not None and (meaning.kind == "amount" or meaning.name.startswith("amount_"))


def lonely_names(guess: Guess) -> pl.Series:
    """The lines that hold a name of an applicant and nothing else."""
    return _alone(guess, guess.fields["applicant_name"].letter if "applicant_name" in guess.fields else "")


def _alone(guess: Guess, letter: str) -> pl.Series:
    filled = pl.sum_horizontal(column.text.is_not_null().cast(pl.Int32) for column in guess.columns)
    own = next((column.text for column in guess.columns if column.letter == letter), None)
    if own is None:
        return uniform(False, guess.columns[0].text.len(), dtype=pl.Boolean)
    return pl.select((filled == 1) & own.is_not_null()).to_series()


def asked_about_titles(guess: Guess, rows: pl.Series) -> bool:
    """Ask, if some title that `rows` marks bears on what was decided, or on what the amounts below it are."""
    bearing = [text for text in _texts(guess, rows) if _BEARS.search(fold_words(text))]
    if bearing:
        guess.ask(
            f"« {(mask(bearing[0]) or '')[:60]} » dit-il ce qui a été décidé pour les lignes du dessous, ou de quelle "
            "année elles sont ? Mettez-le sur chacune, dans une colonne « Statut » ou « Exercice »."
        )
    return bool(bearing)


def _texts(guess: Guess, rows: pl.Series) -> list[str]:
    first = pl.select(pl.coalesce(column.text for column in guess.columns)).to_series()
    return list(dict.fromkeys(first.filter(rows).to_list()))


def take_for_headings(guess: Guess, rows: pl.Series) -> None:
    """Take the lines that `rows` marks out of the table, and say how the format knows them again."""
    words = _texts(guess, rows)
    if len(words) > _MOST_HEADINGS or any(len(word) > _LONGEST for word in words):
        return
    purposes = {title_key(word): code for code, listed in load_synonyms().purposes.items() for word in listed}
    field = "theme_raw"
    if all(title_key(word) in purposes for word in words) and "purpose" not in guess.fields:
        field = "purpose"
        guess.section_rules["purpose"] = ColumnRule(values={word: purposes[title_key(word)] for word in words})
    guess.sections = SectionRule(field=field, pattern=f"^({'|'.join(re.escape(word) for word in words)})$")
    leave_out(guess, rows)


def leave_out(guess: Guess, rows: pl.Series) -> None:
    """Take the lines that `rows` marks out of the columns."""
    kept = {c.letter: Column(c.letter, c.title, c.text.filter(~rows)) for c in guess.columns}
    guess.columns = list(kept.values())
    guess.fields = {name: kept[column.letter] for name, column in guess.fields.items()}
    guess.rivals = {name: [kept[column.letter] for column in columns] for name, columns in guess.rivals.items()}
    guess.wide = [kept[column.letter] for column in guess.wide]
