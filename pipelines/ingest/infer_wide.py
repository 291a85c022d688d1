"""Amounts laid out by year, one column for each year, in a table of an unknown format.

The columns make one amount when their titles are the same words but for the year and their cells are amounts; several
such groups are read together when each says its own stage. A year or a decision beside them, a stage that nothing says,
or years before that of the list, are asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.fold import fold_header
from pipelines.ingest.guess import BY_ANSWER, listed_columns
from pipelines.ingest.infer_amounts import (
    HEADLINE,
    STAGED,
    STAGES,
    answers_one_request,
    ask_about_units,
    stage_of_list,
)
from pipelines.ingest.infer_year import named_years
from pipelines.ingest.titles import meanings, title_key
from schemas.format import UnpivotRule

if TYPE_CHECKING:
    from pipelines.ingest.evidence import Column
    from pipelines.ingest.guess import Guess

_FEWEST = 2
_SMALLEST_GRANT = 100  # euros; a table whose every number is below may count something else
_YEAR = r"((?:19|20)\d{2})"
_COUNTS = re.compile(r"\b(nombre|nb|nbre|effectifs?|adherents?|licencies?|beneficiaires|participants?|heures?)\b")
_MOST_NAMED = 4
_REMINDERS = {
    "reminder": "un rappel : ne lire que l'année de la liste",
    "read": "à lire aussi : chaque année compte",
}
SUM = "somme des colonnes d'années, qui sont lues"


@dataclass(frozen=True)
class _Group:
    """Columns whose titles are the same words but for the year; `pattern` is what their folded titles look like."""

    key: str
    pattern: str
    columns: list[Column]

    @property
    def field(self) -> str | None:
        """The amount that the words say, if they say one of a grant."""
        known = meanings().get(self.key)
        return known.name if known is not None and known.name in STAGED else None

    @property
    def years(self) -> list[int | None]:
        return [column.title.year for column in self.columns]


def find_wide_amounts(guess: Guess) -> bool:
    """Hold the columns of amounts by year in `guess.wide` and say their stage, or ask; False when there are none.

    Several groups are read together when each says its own stage: « 2023 demandé », « 2023 accordé », « 2024 demandé »…
    """
    groups = [group for group in _groups(guess) if len(set(group.years)) >= _FEWEST]
    fields = [group.field for group in groups]
    if len(groups) > 1 and (None in fields or len(set(fields)) < len(fields)):
        return False
    if len(groups) == 1 and groups[0].field is None and not _is_bare(groups[0]):
        return False
    headline = next((stage for stage in HEADLINE if f"amount_{stage}" in fields), None)
    if (
        not groups
        or (headline is None and groups[0].field is not None)
        or answers_one_request(guess, groups[0].columns)
    ):
        return False
    guess.wide = [column for group in groups for column in group.columns]
    ask_about_units(guess)
    for group in groups:
        _set_sums_aside(guess, group)
        _ask(guess, group.columns)
    _ask_about_reminders(guess)
    guess.stage = headline or _asked_stage(guess, groups[0])
    if guess.stage is None:
        guess.rivals["amount"] = groups[0].columns
        return True
    for group in groups:
        field = group.field or f"amount_{guess.stage}"
        columns = [column for column in group.columns if column in guess.wide]
        guess.wide_fields |= {column.letter: field for column in columns}
        guess.wide_patterns[field] = group.pattern
        if len(columns) < len(group.columns):  # only those years
            years = "|".join(str(column.title.year) for column in columns)
            guess.wide_patterns[field] = group.pattern.replace(_YEAR, f"({years})")
    return True


def _groups(guess: Guess) -> list[_Group]:
    """The columns of amounts whose title begins or ends with a year, by the words beside it."""
    found: dict[tuple[str, str], list[Column]] = {}
    for column in guess.free:
        year, title = column.title.year, fold_header(column.title.text)
        if year is None or not column.cells.len() or column.share(column.amounts) == 0:
            continue
        if title.endswith(str(year)):
            pattern = f"^{re.escape(title[:-4])}{_YEAR}$"
        elif title.startswith(str(year)):
            pattern = f"^{_YEAR}{re.escape(title[4:])}$"
        else:
            continue
        found.setdefault((title_key(column.title.text), pattern), []).append(column)
    return [_Group(key, pattern, columns) for (key, pattern), columns in found.items()]


def _is_bare(group: _Group) -> bool:
    """Whether the words say an amount without its stage, or nothing at all."""
    known = meanings().get(group.key)
    return not group.key if known is None else known.kind == "amount"


def _asked_stage(guess: Guess, group: _Group) -> str | None:
    """The stage of the only group: what its words or the list say, else what the author answers."""
    if group.field is not None:
        return group.field.removeprefix("amount_")
    return stage_of_list(guess) or guess.ask(
        f"Les montants sont répartis par année ({listed_columns(group.columns)}) : sont-ils demandés, accordés ou "
        "versés ?",
        about=f"stage {group.key}",
        choices={stage: STAGES[stage] for stage in HEADLINE},
    )


def _ask_about_reminders(guess: Guess) -> None:
    """The list bears the last of the years: the others may be reminders, that their own lists already hold."""
    named = named_years(guess)
    if len(named) != 1 or named != {max(column.title.year or 0 for column in guess.wide)}:
        return
    [year] = named
    earlier = [column for column in guess.wide if column.title.year != year]
    answer = guess.ask(
        f"La liste est celle de {year}. Les montants des autres années ({listed_columns(earlier[:_MOST_NAMED])}) sont-"
        "ils un rappel, déjà donné par les listes de ces années, ou à lire aussi ?",
        about="earlier years",
        choices=_REMINDERS,
    )
    if answer == "reminder":
        guess.wide = [column for column in guess.wide if column not in earlier]
        guess.ignored |= {column.letter: f"{BY_ANSWER} : rappel d'une autre année" for column in earlier}


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


def _set_sums_aside(guess: Guess, group: _Group) -> None:
    """A column that adds up the years on every line says nothing more."""
    total = pl.sum_horizontal([column.amounts.fill_null(0) for column in group.columns])
    added = pl.select(total).to_series()
    for column in list(guess.free):
        if column.has_numbers and (column.amounts.fill_null(0) == added).all() and (added != 0).any():
            guess.ignored[column.letter] = SUM


def unpivot_rule(guess: Guess) -> UnpivotRule | None:
    """How the proposed format reads the columns of years; None when the table has none, or no stage for them."""
    if not guess.wide or not guess.wide_patterns:
        return None
    fewest = min(_FEWEST, len({column.title.year for column in guess.wide}))
    return UnpivotRule(key="fiscal_year", columns=guess.wide_patterns, fewest=fewest, zero_is_blank=True)
