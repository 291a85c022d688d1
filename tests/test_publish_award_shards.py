"""Awards for scripts, written from columns: what JSON would say of each of them, row by row."""

from __future__ import annotations

import json
import random
from decimal import Decimal

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from pipelines.publish.award_shards import FIELDS, AwardWriter, Coded, amount_text
from pipelines.publish.finder import plain

AMOUNTS = st.none() | st.decimals(-(10**13), 9 * 10**13, places=2)


@given(st.lists(AMOUNTS, min_size=1, max_size=20))
def test_amounts_are_those_of_the_index(amounts: list[Decimal | None]) -> None:
    frame = pl.DataFrame({"amount": pl.Series(amounts, dtype=pl.Decimal(38, 2))})
    written = frame.select(amount_text("amount"))["amount"].to_list()
    assert written == [json.dumps(None if each is None else plain(float(each))) for each in amounts]


def test_values_are_numbered_in_the_order_in_which_they_come() -> None:
    coded = Coded.of(pl.Series(["b", None, "a", "b", "c"]))
    places, values = coded.places(np.array([4, 1, 3, 0]))
    assert (places.tolist(), values) == ([0, -1, 1, 1], ["c", "b"])
    places, values = coded.places(np.array([2, 4]))
    assert (places.tolist(), values) == ([0, 1], ["a", "c"])


def test_lines_of_several_columns_are_numbered_with_their_absences() -> None:
    frame = pl.DataFrame({"a": ["x", "x", None, None], "b": [None, "y", None, None]})
    places, values = Coded.of_rows(frame).places(np.arange(4))
    assert (places.tolist(), values) == ([0, 1, 2, 2], [("x", None), ("x", "y"), (None, None)])


def test_rows_are_those_that_json_would_write() -> None:
    chance = random.Random(5)
    told = [None, "", 'a "b"', "l'été\u2028", "c,d", "é\n"]
    awards = pl.DataFrame(
        {field: [chance.choice(told) for _ in range(30)] for field in FIELDS}, schema=dict.fromkeys(FIELDS, pl.String)
    ).with_columns(
        fiscal_year=pl.Series([2020 + n % 3 for n in range(30)]),
        amount=pl.Series([None if n % 7 == 0 else Decimal(n * 25) / 100 for n in range(30)], dtype=pl.Decimal(38, 2)),
    )
    lines = np.array(chance.sample(range(30), 20))
    values, rows = AwardWriter(awards).written(lines, np.arange(20))
    held = json.loads(values)
    for number, (line, row) in enumerate(zip(lines.tolist(), rows, strict=True)):
        first, year, amount, *places = json.loads(f"[{row}]")
        wanted = awards.row(line, named=True)
        assert (first, year, amount) == (
            number, wanted["fiscal_year"], None if wanted["amount"] is None else plain(float(wanted["amount"])),
        )  # fmt: skip
        assert [None if place < 0 else held[rank][place] for rank, place in enumerate(places)] == [
            wanted[field] for field in FIELDS
        ]
    assert "\u2028" not in values
