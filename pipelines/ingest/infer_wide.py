"""Amounts laid out by year, one column for each year, in a table of an unknown format.

The columns make one amount when their titles are the same words but for the year and their cells are amounts. Two such
groups, a year or a decision beside them, or a stage that nothing says, are asked.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.fold import fold_header
from pipelines.ingest.guess import listed_columns
from pipelines.ingest.infer_amounts import HEADLINE, STAGES, ask_about_units, stage_of_list
from pipelines.ingest.titles import meanings, title_key
from schemas.format import UnpivotRule

if TYPE_CHECKING:
    from pipelines.ingest.evidence import Column
    from pipelines.ingest.guess import Guess

_FEWEST = 2
_SMALLEST_GRANT = 100  # euros; a table whose every number is below may count something else
_YEAR = r"((?:19|20)\d{2})"
_COUNTS = re.compile(r"\b(nombre|nb|nbre|effectifs?|adherents?|licencies?|beneficiaires|participants?|heures?)\b")
SUM = "somme des colonnes d'années, qui sont lues"


def find_wide_amounts(guess: Guess) -> bool:
    """Hold the columns of amounts by year in `guess.wide` and say their stage, or ask; False when there are none."""
    groups: dict[tuple[str, str], list[Column]] = {}
    for column in guess.free:
        year, title = column.title.year, fold_header(column.title.text)
        if year is not None and column.cells.len() and title.endswith(str(year)) and column.share(column.amounts) > 0:
            groups.setdefault((title_key(column.title.text), title[:-4]), []).append(column)
    wide = {group: columns for group, columns in groups.items() if len({c.title.year for c in columns}) >= _FEWEST}
    if len(wide) != 1:
        return False
    [((key, prefix), columns)] = wide.items()
    known = meanings().get(key)
    if known is not None and known.kind != "amount" and known.name not in {f"amount_{stage}" for stage in HEADLINE}:
        return False
    if known is None and key:
        return False
    guess.wide, guess.wide_title = columns, prefix
    ask_about_units(guess)
    _set_sums_aside(guess)
    _ask(guess, columns)
    guess.stage = known.name.removeprefix("amount_") if known is not None and known.kind == "field" else None
    guess.stage = guess.stage or stage_of_list(guess)
    if guess.stage is None:
        guess.stage = guess.ask(
            f"Les montants sont répartis par année ({listed_columns(columns)}) : sont-ils demandés, accordés ou "
            "versés ?",
            about=f"stage {key}",
            choices={stage: STAGES[stage] for stage in HEADLINE},
        )
    if guess.stage is None:
        guess.rivals["amount"] = columns
    return True


def _ask(guess: Guess, columns: list[Column]) -> None:
    years = [column.title.year for column in columns]
    if len(set(years)) < len(years):
        guess.ask(f"Plusieurs colonnes portent la même année ({listed_columns(columns)}) : laquelle compte ?")
    unlike = [column for column in columns if column.share(column.amounts) < 1]
    if unlike:
        guess.ask(f"La colonne {unlike[0].called} ne contient pas que des montants : que veut-elle dire ?")
    if any(_COUNTS.search(name) for name in guess.names) or all(_may_be_counts(column) for column in columns):
        guess.ask(f"Les colonnes d'années ({listed_columns(columns)}) donnent-elles des euros ou des nombres ?")
    for name in ("fiscal_year", "decision_status"):
        for column in guess.titled("field", name):
            guess.rivals[name] = [column]
            guess.ask(f"Que veut dire la colonne {column.called}, à côté d'une colonne pour chaque année ?")


def _may_be_counts(column: Column) -> bool:
    """Whether nothing in the title or the cells speaks of money, and the numbers are small and whole."""
    numbers = column.amounts.drop_nulls()
    small = bool((numbers == numbers.round(0)).all() and (numbers < _SMALLEST_GRANT).all())
    return column.title.meaning is None and not column.has_money and small


def _set_sums_aside(guess: Guess) -> None:
    """A column that adds up the years on every line says nothing more."""
    total = pl.sum_horizontal([column.amounts.fill_null(0) for column in guess.wide])
    added = pl.select(total).to_series()
    for column in list(guess.free):
        if column.has_numbers and (column.amounts.fill_null(0) == added).all() and (added != 0).any():
            guess.ignored[column.letter] = SUM


def unpivot_rule(guess: Guess) -> UnpivotRule | None:
    """How the proposed format reads the columns of years; None when the table has none, or no stage for them."""
    if not guess.wide or guess.stage is None:
        return None
    pattern = f"^{re.escape(guess.wide_title)}{_YEAR}$"
    return UnpivotRule(key="fiscal_year", columns={f"amount_{guess.stage}": pattern}, zero_is_blank=True)
