"""Amounts: what is written in any supported notation reads back as the same value, and nothing as another."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.ingest.amounts import parse_amounts

CENTS = st.integers(min_value=0, max_value=10**11).map(lambda cents: Decimal(cents) / 100)


def read(*cells: str | None) -> list[Decimal | None]:
    return parse_amounts(pl.Series(cells, dtype=pl.String)).values.to_list()


def grouped(amount: Decimal, thousands: str, decimal: str) -> str:
    whole, cents = f"{amount:,.2f}".split(".")
    return whole.replace(",", thousands) + decimal + cents


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["1 234,56 €"], ["1234.56"]),
        (["12 345 678"], ["12345678"]),
        (["12\u202f350\u00a0000 €"], ["12350000"]),
        (["1.234,56", "37.500", "12"], ["1234.56", "37500", "12"]),
        ([" 1,500 € ", "3,000 €", "500 €"], ["1500", "3000", "500"]),
        (["37.500", "500"], ["37500", "500"]),
        (["250.0", "1500.5"], ["250", "1500.5"]),
        (["1,234.56", "1,234,567"], ["1234.56", "1234567"]),
        (["-500", "(500)", "−12,5"], ["-500", "-500", "-12.5"]),
        (["50 000 euros", "1,5 k€", "2 M€"], ["50000", "1500", "2000000"]),
        (["1.2E4", "12000"], ["12000", "12000"]),
        (["12 250,00", None, "0"], ["12250", None, "0"]),
    ],
)
def test_notations_met_in_real_files(cells: list[str | None], expected: list[str | None]) -> None:
    assert read(*cells) == [None if e is None else Decimal(e) for e in expected]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["3.000,00 €", "2000.50", "1 500,00", "1.500"], ["3000", "2000.5", "1500", None]),
        (["1,234.56", "1.234,56", "1.234.567", "12,5", "7,250"], ["1234.56", "1234.56", "1234567", "12.5", None]),
    ],
)
def test_where_notations_mix_only_the_cells_that_read_in_one_way_have_a_value(
    cells: list[str], expected: list[str | None]
) -> None:
    assert read(*cells) == [None if e is None else Decimal(e) for e in expected]
    assert parse_amounts(pl.Series(cells)).ambiguous.to_list() == [e is None for e in expected]


def test_a_space_that_an_encoding_lost_still_parts_thousands() -> None:
    expected = [Decimal(5000), Decimal(1234567), Decimal(800), None]
    assert read("5?000,00 €", "1?234?567", "800 \ufffd", "500 ?") == expected
    assert read("5\ufffd000,00") == [Decimal(5000)]


def test_a_cell_that_reads_two_ways_has_no_value() -> None:
    amounts = parse_amounts(pl.Series(["1,500", "12,50"]))
    assert amounts.ambiguous.to_list() == [True, False]
    assert amounts.values.to_list() == [None, Decimal("12.50")]


def test_words_are_unreadable_and_blanks_are_not() -> None:
    amounts = parse_amounts(pl.Series(["douze mille", None, "12"], dtype=pl.String))
    assert amounts.unreadable.to_list() == [True, False, False]


@settings(max_examples=150, deadline=None)
@given(st.lists(CENTS, min_size=1, max_size=20), st.sampled_from(["", " ", "\u00a0", "\u202f", ".", "'"]))
def test_french_amounts_read_back(amounts: list[Decimal], thousands: str) -> None:
    assert read(*(grouped(amount, thousands, ",") + " €" for amount in amounts)) == amounts


@settings(max_examples=150, deadline=None)
@given(st.lists(CENTS, min_size=1, max_size=20))
def test_plain_and_american_amounts_read_back(amounts: list[Decimal]) -> None:
    assert read(*(f"{amount:.2f}" for amount in amounts)) == amounts
    assert read(*(grouped(amount, ",", ".") for amount in amounts)) == amounts


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(max_size=12)), min_size=1, max_size=8))
def test_no_text_makes_it_fail(cells: list[str | None]) -> None:
    amounts = parse_amounts(pl.Series(cells, dtype=pl.String))
    told = amounts.values.is_not_null() | amounts.unreadable | amounts.ambiguous
    blank = pl.Series([cell is None for cell in cells])
    assert (told | blank).all()


@pytest.mark.parametrize(
    ("cells", "ambiguous"),
    [
        (["37.500", "1250.5"], [True, False]),  # typed as text beside a number of the spreadsheet
        (["1.500", "12.25"], [True, False]),
        (["1.500", "1234.500"], [False, False]),  # three decimals everywhere
        (["1.500", "0.3333333"], [False, False]),  # a computed column
        (["37.500", "1250"], [False, False]),  # thousands
    ],
)
def test_three_digits_after_a_point_beside_decimals_are_doubtful(cells: list[str], ambiguous: list[bool]) -> None:
    assert parse_amounts(pl.Series(cells)).ambiguous.to_list() == ambiguous


def test_digits_of_other_scripts_are_no_amounts() -> None:
    amounts = parse_amounts(pl.Series(["１２３", "٣٤", "12"]))
    assert (amounts.values.to_list()[:2], amounts.unreadable.to_list()) == ([None, None], [True, True, False])
