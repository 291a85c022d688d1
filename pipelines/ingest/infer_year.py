"""The fiscal year of a table of an unknown format: a column, a decision date, else what names the list.

A year that a name states beside a full date may be that of the publication; two sources that disagree are asked.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.dates import date_in_name, year_in_name
from pipelines.ingest.french import count
from pipelines.ingest.guess import BY_ANSWER, BY_BOTH, listed_columns
from pipelines.ingest.titles import years_in
from schemas.synonyms import load_synonyms

if TYPE_CHECKING:
    from pipelines.ingest.evidence import Column
from pipelines.ingest.guess import Guess

_MOST_YEARS = 20
_FISCAL_YEAR = {"yes": "oui, c'est l'exercice", "no": "non : ces années disent autre chose"}
_IN_BANNER = r"(?<![\d/.-])((?:19|20)\d{2})(?![\d/.-])"
_MONTH = r"(?i)\d{1,2}(?:er)?\s+\w{3,9}\s+(?:19|20)\d{2}"


def find_year(guess: Guess) -> None:
    """Place the year or the dates that give it; ask when nothing does, or two sources differ."""
    column = guess.one_of("fiscal_year", guess.titled("field", "fiscal_year"))
    dates = [name for name in ("decided_date", "signed_date") if _place_date(guess, name)]
    named = named_years(guess)
    if column is not None:
        _from_column(guess, column, _titled_years(guess) or named)
    elif "fiscal_year" not in guess.rivals:
        unnamed = [c for c in guess.free if c.title.meaning is None and _only_years(c)]
        answer = _is_fiscal_year(guess, unnamed) if unnamed else "no"
        if answer is None:
            guess.rivals["fiscal_year"] = unnamed
        elif answer == "yes":
            _from_column(guess, unnamed[0], _titled_years(guess) or named)
        elif dates:
            _from_dates(guess, [guess.fields[name] for name in dates], named)
        else:
            _from_names(guess, named)


def _is_fiscal_year(guess: Guess, columns: list[Column]) -> str | None:
    """Whether the only column of years, whose title says nothing, is the fiscal year; None until it is known."""
    about = f"year column {columns[0].key}" if len(columns) == 1 and columns[0].key else None
    question = f"La colonne {listed_columns(columns)} donne-t-elle l'exercice ?"
    answer = guess.ask(question, about=about, choices=_FISCAL_YEAR)
    if answer == "no":
        guess.ignored[columns[0].letter] = f"{BY_ANSWER} : ce n'est pas l'exercice"
    return answer


def _place_date(guess: Guess, name: str) -> bool:
    column = guess.one_of(name, guess.titled("field", name))
    if column is None or column.share(column.dates) + column.share(_year_alone(column)) < 0.9:
        return False
    guess.place(name, column)
    return True


def _year_alone(column: Column) -> pl.Series:
    return pl.select(pl.when(column.dates.is_null()).then(column.years)).to_series()


def _only_years(column: Column) -> bool:
    if set(column.years.drop_nulls()) <= {2000}:
        return False  # as round as a grant
    return column.share(column.text.str.contains(r"^(?:19|20)\d{2}(?:\.0)?$")) == 1 and column.distinct <= _MOST_YEARS


def _from_column(guess: Guess, column: Column, named: set[int]) -> None:
    years = set(column.years.drop_nulls().to_list())
    if column.share(column.years) < 0.95 or len(years) > _MOST_YEARS or column.filled < 0.98:
        guess.rivals["fiscal_year"] = [column]
        guess.ask(f"La colonne {column.called} donne-t-elle l'exercice de chaque ligne ?")
    elif len(named) == 1 and (years - named if _titled_years(guess) else not named & years):
        [year] = named
        bearer = "le titre du montant" if _titled_years(guess) else "le nom de la liste"
        question = f"L'exercice est-il celui de la colonne {column.called} ou l'année {year} que porte {bearer} ?"
        if not _ask_source(guess, question, [column], year):
            guess.rivals["fiscal_year"] = [column]
        elif "fiscal_year" in guess.constants:
            guess.ignored[column.letter] = f"{BY_ANSWER} : ce n'est pas l'exercice"
        else:
            guess.place("fiscal_year", column, BY_ANSWER)
    else:
        guess.place("fiscal_year", column, BY_BOTH)


def _from_dates(guess: Guess, dates: list[Column], named: set[int]) -> None:
    read = [pl.select(pl.coalesce(c.dates.dt.year().cast(pl.Int32), c.years)).to_series() for c in dates]
    years = pl.select(pl.coalesce(read)).to_series()
    unread = years.null_count()
    if unread and len(named) != 1:
        guess.ask(
            f"Il manque une date lisible ({listed_columns(dates)}) sur {count(unread, 'ligne')} : de quel exercice ?"
        )
    elif len(named) == 1 and (years.drop_nulls() != next(iter(named))).any():
        [year] = named
        question = (
            f"L'exercice est-il l'année de la date ({listed_columns(dates)}) ou l'année {year} que porte le nom de la "
            "liste ?"
        )
        if not _ask_source(guess, question, dates, year):
            guess.rivals["fiscal_year"] = dates


def _from_names(guess: Guess, named: set[int]) -> None:
    """No column gives the year: the list's name must, once, and the pipeline must find it there too."""
    titled = _titled_years(guess)
    several = [column for column in _amounts(guess) if len(years_in(column.title.text)) > 1]
    if several:
        _ask_year(guess, f"Le titre {several[0].called} porte plusieurs années. ")
        return
    years = named | titled
    if len(years) != 1:
        _ask_year(guess)
        return
    year = years.pop()
    if _read_by_pipeline(guess) == year:
        return
    if titled:
        guess.constants["fiscal_year"] = str(year)
    elif _first_in_banner(guess) == year:
        guess.banner_rules["fiscal_year"] = _IN_BANNER
    else:
        _ask_year(guess)


def _amounts(guess: Guess) -> list[Column]:
    """The columns of the amounts, and those that only wait for their stage."""
    return [column for name, column in guess.fields.items() if name.startswith("amount_")] + guess.rivals.get(
        "amount", []
    )


def _titled_years(guess: Guess) -> set[int]:
    """The years that the titles of the amounts bear."""
    return {column.title.year for column in _amounts(guess) if column.title.year is not None}


def _ask_year(guess: Guess, why: str = "") -> None:
    answer = guess.ask(
        f"{why}De quel exercice sont ces subventions ? Ajoutez une colonne « Exercice » ou une date de décision.",
        about="year",
    )
    if answer is not None:
        guess.constants["fiscal_year"] = answer


def _ask_source(guess: Guess, question: str, columns: list[Column], year: int) -> bool:
    """Ask whether the year is that of `columns` or the `year` that the list's name states; whether it is known."""
    own = columns[0].called if len(columns) == 1 else "celle des dates"
    answer = guess.ask(question, about="year source", choices={"column": own, "name": str(year)})
    if answer == "name":
        guess.constants["fiscal_year"] = str(year)
    return answer is not None


def named_years(guess: Guess) -> set[int]:
    """The years that the list's names state, those beside a full date left out, as may be a date of publication."""
    lists = load_synonyms().lists
    declared = guess.origin.funder_file.fiscal_year
    if declared is not None:
        return {declared}
    named: set[int] = set()
    texts = [guess.origin.file_name, guess.sheet.name]
    for text, folded in zip(texts, guess.names, strict=False):
        year = year_in_name(text)
        if year is not None and date_in_name(text) is None and not re.search(lists.published, folded):
            named.add(year)
    for text in guess.banner:
        if not re.search(_MONTH, text):
            named |= {int(year) for year in re.findall(_IN_BANNER, text)}
    return named


def _read_by_pipeline(guess: Guess) -> int | None:
    """The year that lines without a date would take, by the rule of every format."""
    return (
        year_in_name(guess.sheet.name) or guess.origin.funder_file.fiscal_year or year_in_name(guess.origin.file_name)
    )


def _first_in_banner(guess: Guess) -> int | None:
    found = (re.search(_IN_BANNER, text) for text in guess.banner)
    return next((int(match[1]) for match in found if match), None)
