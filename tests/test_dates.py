"""Dates, periods and years: the notations met, the impossible ones, and what reads back."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.ingest.dates import date_in_name, parse_dates, parse_periods, parse_years, year_in_name

DAYS = st.dates(min_value=date(1990, 1, 1), max_value=date(2100, 12, 31))


def read(*cells: str | None) -> list[date | None]:
    return parse_dates(pl.Series(cells, dtype=pl.String)).values.to_list()


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2017-12-05", date(2017, 12, 5)),
        ("2024-03-01 00:00:00", date(2024, 3, 1)),
        ("2024-03-01T10:00:00Z", date(2024, 3, 1)),
        ("05/12/2016", date(2016, 12, 5)),
        ("5.1.17", date(2017, 1, 5)),
        ("1er août 2023", date(2023, 8, 1)),
        ("43831", date(2020, 1, 1)),
        ("2017-30-05", None),
        ("31/02/2017", None),
        ("courant juin", None),
        ("0000-01-01", None),
        ("01/01/0000", None),
    ],
)
def test_dates_met_in_real_files(cell: str, expected: date | None) -> None:
    assert read(cell) == [expected]


def test_month_comes_first_only_when_the_column_shows_it() -> None:
    assert read("12/25/2016", "01/02/2017") == [date(2016, 12, 25), date(2017, 1, 2)]
    assert read("25/12/2016", "01/02/2017") == [date(2016, 12, 25), date(2017, 2, 1)]


@pytest.mark.parametrize("cell", ["2024-03", "03/2024", "3-2024", "mars 2024", "Février 2024"])
def test_a_month_is_its_year(cell: str) -> None:
    dates = parse_dates(pl.Series([cell]))
    assert (dates.values[0], dates.years[0], dates.unreadable[0]) == (None, 2024, False)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(DAYS, DAYS), min_size=1, max_size=9), st.sampled_from(["/", "_", " au ", " - ", "\n"]))
def test_periods_read_back(periods: list[tuple[date, date]], between: str) -> None:
    starts, ends = parse_periods(pl.Series([f"{start}{between}{end}" for start, end in periods]))
    assert list(zip(starts.values, ends.values, strict=True)) == periods


def test_a_long_column_reads_as_a_short_one() -> None:
    cells = ["2021-01-01/2021-12-31", "05/06/2020", None, "x"] * 3000
    for long, short in zip(parse_periods(pl.Series(cells)), parse_periods(pl.Series(cells[:4])), strict=True):
        assert long.values.to_list() == short.values.to_list() * 3000
        assert long.unreadable.to_list() == short.unreadable.to_list() * 3000


def test_a_year_alone_is_a_year_and_no_date() -> None:
    dates = parse_dates(pl.Series(["2014", "2014-01-01"]))
    assert dates.years.to_list() == [2014, None]
    assert not dates.unreadable.any()


@pytest.mark.parametrize(
    ("cell", "start", "end"),
    [
        ("2017-01-01_2017-12-31", date(2017, 1, 1), date(2017, 12, 31)),
        ("2017-03-30/2017-05-24", date(2017, 3, 30), date(2017, 5, 24)),
        ("01/02/2018 au 31/12/2018", date(2018, 2, 1), date(2018, 12, 31)),
        ("2019-05-20", date(2019, 5, 20), None),
        ("unique", None, None),
        ("28/11/2017\n08/12/2017", date(2017, 11, 28), date(2017, 12, 8)),
        ("2019-02-25\n2020-03-31\n2021-03-31", date(2019, 2, 25), date(2021, 3, 31)),
        ("22/11/2017\nSolde en 2018", date(2017, 11, 22), None),
        ("2018-01-24 (1er acompte et solde)", date(2018, 1, 24), None),
        ("NC/2019-06-30", None, date(2019, 6, 30)),
    ],
)
def test_periods(cell: str, start: date | None, end: date | None) -> None:
    starts, ends = parse_periods(pl.Series([cell]))
    assert (starts.values[0], ends.values[0]) == (start, end)


def test_years() -> None:
    cells = ["2024", "2024.0", "2024-2025", "exercice 2019", "x", "2024-03-01"]
    assert parse_years(pl.Series(cells)).to_list() == [2024, 2024, 2024, 2019, None, 2024]


def test_what_a_file_name_states() -> None:
    assert date_in_name("data-14-10-2019-.xlsx") == date(2019, 10, 14)
    assert date_in_name("201903_publication.csv") == date(2019, 3, 1)
    assert date_in_name("subventions-2013-2019.csv") is None
    assert year_in_name("subventions 2021.csv") == 2021
    assert year_in_name("2013-2019.csv") is None


@settings(max_examples=200, deadline=None)
@given(st.lists(DAYS, min_size=1, max_size=20), st.sampled_from(["%Y-%m-%d", "%d/%m/%Y", "%d-%m-%Y", "%Y/%m/%d"]))
def test_dates_read_back(days: list[date], notation: str) -> None:
    cells = [day.strftime(notation) for day in days]
    if notation.startswith("%d") and all(day.day <= 12 for day in days):
        cells.append("31" + cells[0][2:3] + "12" + cells[0][5:6] + "2020")
        days = [*days, date(2020, 12, 31)]
    assert read(*cells) == days


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=20)), min_size=1, max_size=8))
def test_no_text_makes_them_fail(cells: list[str | None]) -> None:
    column = pl.Series(cells, dtype=pl.String)
    dates = parse_dates(column)
    told = dates.values.is_not_null() | dates.years.is_not_null() | dates.unreadable
    assert (told | column.is_null()).all()
    parse_periods(column)
    parse_years(column)


def test_digits_of_other_scripts_are_no_dates() -> None:
    column = pl.Series(["１２/０３/２０２３", "２０２３", "１２ mars ２０２３"])
    assert parse_dates(column).unreadable.all()
    assert parse_years(column).null_count() == 3
    parse_periods(column)
