"""SIREN, SIRET and RNA: against python-stdnum, and what spreadsheets do to them."""

from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from stdnum.fr import siren, siret

from pipelines.ingest.identifiers import parse_identifiers
from schemas.identifiers import is_siren, is_siret

DIGITS = "0123456789"


def check(expression: pl.Expr, *cells: str | None) -> list[bool | None]:
    return pl.DataFrame({"c": pl.Series(cells, dtype=pl.String)}).select(expression).to_series().to_list()


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(DIGITS, min_size=9, max_size=9), min_size=1, max_size=20))
def test_siren_agrees_with_stdnum(cells: list[str]) -> None:
    assert check(is_siren(pl.col("c")), *cells) == [siren.is_valid(c) and c != "0" * 9 for c in cells]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.text(DIGITS, min_size=14, max_size=14), min_size=1, max_size=20))
def test_siret_agrees_with_stdnum(cells: list[str]) -> None:
    ours = check(is_siret(pl.col("c")), *cells)
    for cell, valid in zip(cells, ours, strict=True):
        if siren.is_valid(cell[:9]) and not cell.startswith("356000000"):
            assert valid == (siret.is_valid(cell) and cell != "0" * 14)


def test_la_poste_passes_by_either_rule() -> None:
    assert check(is_siret(pl.col("c")), "35600000000048", "35600000009075", "35600000000002") == [True, True, False]


def test_what_is_no_number_has_no_key_and_nothing_says_nothing() -> None:
    cells = ("", "x", "-12345678", "000000000", "00000000000000", "99999999999999999999", None)
    assert check(is_siren(pl.col("c")), *cells) == [False] * 6 + [None]
    assert check(is_siret(pl.col("c")), *cells) == [False] * 6 + [None]


def test_what_spreadsheets_do() -> None:
    cells = [
        "52499120500013",
        "524 991 205 00013",
        "52499120500013.0",
        "524991205",
        "W2A1000123",
        "5,24991E+13",
        "35181600000000",
        "52499120500014",
        "sans",
        None,
    ]
    found = parse_identifiers(pl.Series(cells, dtype=pl.String))
    assert found.siret.to_list()[:3] == ["52499120500013"] * 3
    assert found.siren.to_list()[:4] == ["524991205"] * 4
    assert found.rna[4] == "W2A1000123"
    assert found.destroyed.to_list() == [False] * 5 + [True, True, False, False, False]
    assert found.invalid.to_list() == [False] * 7 + [True, False, False]
    assert found.unknown.to_list() == [False] * 8 + [True, False]


def test_a_lost_zero_is_put_back_only_when_both_keys_hold() -> None:
    whole = "00552013500019"
    digits = (
        next(whole[:13] + d for d in DIGITS if siret.is_valid(whole[:13] + d)) if siren.is_valid(whole[:9]) else None
    )
    assert digits is not None
    found = parse_identifiers(
        pl.Series([digits.lstrip("0"), digits.lstrip("0")[:-1] + str((int(digits[-1]) + 1) % 10)])
    )
    assert found.siret.to_list() == [digits, None]
    assert found.repaired.to_list() == [True, False]


def test_a_social_security_number_is_personal() -> None:
    found = parse_identifiers(pl.Series(["285083417208542"]))
    assert found.personal.to_list() == [True]
    assert found.unknown.to_list() == [False]


def test_no_establishment_is_numbered_zero() -> None:
    """A number filled up, or rounded, with zeros is no SIRET, even where its key happens to hold."""
    numbers = [f"{number:08d}000000" for number in range(10_000_000, 10_001_000)]
    holds = next(n for n in numbers if siret.luhn.is_valid(n))
    found = parse_identifiers(pl.Series([holds]))
    assert found.siret.to_list() == [None]
    assert found.destroyed.to_list() == [True]
