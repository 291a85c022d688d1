"""French typography of numbers, sums, dates; comma-separated files that no spreadsheet runs."""

from __future__ import annotations

import csv
import datetime as dt
import io

import pandas as pd
import polars as pl
import pytest

from pipelines.publish import comma_separated, formats
from pipelines.publish.context import typographic

THIN, NBSP = "\u202f", "\u00a0"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (formats.number(1234567), f"1{THIN}234{THIN}567"),
        (formats.number(-1234.5, decimals=1), f"−1{THIN}234,5"),
        (formats.money(138800), f"138{THIN}800{NBSP}€"),
        (formats.money(12.5), f"12,50{NBSP}€"),
        (formats.money(12, currency="CHF"), f"12{NBSP}CHF"),
        (formats.money(0.0028), f"moins de 0,01{NBSP}€"),
        (formats.money(0), f"0{NBSP}€"),
        (formats.money_compact(281_931_000), f"281,9{NBSP}M€"),
        (formats.money_compact(1_249_999_999), f"1,2{NBSP}Md€"),
        (formats.money_compact(999_999), f"1,0{NBSP}M€"),
        (formats.money_compact(45_200), f"45{THIN}200{NBSP}€"),
        (formats.money_compact(1.13), f"1,13{NBSP}€"),
        (formats.percent(0.634), f"63{NBSP}%"),
        (formats.percent(0.0634), f"6,3{NBSP}%"),
        (formats.percent(0.0), f"0{NBSP}%"),
        (formats.percent(1.0), f"100{NBSP}%"),
        (formats.percent(0.0001), f"moins de 0,1{NBSP}%"),
        (formats.percent(0.9999), f"plus de 99,9{NBSP}%"),
        (formats.percent(0.999, decimals=0), f"plus de 99{NBSP}%"),
        (formats.date(dt.date(2026, 3, 12)), f"12{NBSP}mars 2026"),
        (formats.date(dt.date(2026, 1, 1)), f"1er{NBSP}janvier 2026"),
        (formats.plural(1.5, "million"), f"2{NBSP}million"),
        (formats.plural(0, "ligne"), f"0{NBSP}ligne"),
        (formats.plural(2, "ligne"), f"2{NBSP}lignes"),
        (formats.years(2019, 2019), "2019"),
        (formats.years(None, 2019), "–"),
        (formats.joined(["a", "b", "c"]), "a, b et c"),
        (formats.size(1_500_000), f"1,5{NBSP}Mo"),
        (formats.slug("L'Épicerie « d'Oc »"), "l-epicerie-d-oc"),
        (formats.slug("جمعية"), ""),
    ],
)
def test_french_numbers(written: str, expected: str) -> None:
    assert written == expected


@pytest.mark.parametrize("value", [None, float("nan"), pd.NA, pd.NaT])
def test_missing(value: object) -> None:
    assert formats.is_missing(value)


@pytest.mark.parametrize("value", [0, "", False, 0.0])
def test_not_missing(value: object) -> None:
    assert not formats.is_missing(value)


def test_spaces_before_signs_only_in_text() -> None:
    html = '<p title="a : b">Oui : « non » ?</p><script>a ? b : c</script>'
    assert typographic(html) == f'<p title="a : b">Oui{NBSP}: «{NBSP}non{NBSP}»{NBSP}?</p><script>a ? b : c</script>'


def test_apostrophes_are_curved_but_in_names_codes_and_tags() -> None:
    html = (
        """<p title="l'aide">L'aide d&#39;État, l'<b>an</b> d'«x» : <bdi>Asso l'Été</bdi> 'x' """
        """<code>d'ici</code></p><script>l'x</script>"""
    )
    assert typographic(html) == (
        f"""<p title="l'aide">L’aide d’État, l’<b>an</b> d’«x»{NBSP}: <bdi>Asso l'Été</bdi> 'x' """
        """<code>d'ici</code></p><script>l'x</script>"""
    )


def test_csv_is_rfc_4180_and_runs_nothing() -> None:
    names = ["=1+1", "+33", "-moi", "@vous", '"gui, llemets"', "lignes\nà la suite", "مرحبا", None]
    content = comma_separated.to_bytes(pl.DataFrame({"name": names, "amount": [-1.5, 2, 3, 4, 5, 6, 7, None]}))
    assert b"\r\n" in content
    read = list(csv.reader(io.StringIO(content.decode("utf-8"), newline="")))
    assert [row[0] for row in read[1:]] == ["'=1+1", "'+33", "'-moi", "'@vous", *names[4:7], ""]
    assert read[1][1] == "-1.5", "a number keeps its sign"


def test_csv_of_a_pandas_frame_keeps_whole_numbers_whole() -> None:
    frame = pd.DataFrame({"n": [1.0, float("nan")], "x": [1.5, 2.0], "d": [pd.Timestamp("2026-03-12"), pd.NaT]})
    assert comma_separated.from_pandas(frame).decode().split("\r\n") == ["n,x,d", "1,1.5,2026-03-12", ",2.0,", ""]
