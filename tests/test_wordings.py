"""What is said of two titles in Python is what the macro of the models says of them."""

from __future__ import annotations

from functools import cache

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.warehouse.connection import MACROS
from pipelines.warehouse.wordings import likeness

WORD = st.text("abcdexyz019", min_size=1, max_size=9)
LINE = st.lists(WORD, max_size=7)


@cache
def _macros() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect(":memory:")
    connection.execute(MACROS.read_text(encoding="utf-8"))
    return connection


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(LINE, LINE), min_size=1, max_size=60))
def test_likeness_is_that_of_the_macro(pairs: list[tuple[list[str], list[str]]]) -> None:
    texts = [[" ".join(words) for words in (a, b, sorted(a), sorted(b))] for a, b in pairs]
    ours = likeness(*(list(column) for column in zip(*texts, strict=True)))
    for told, line in zip(ours, texts, strict=True):
        assert _macros().execute("SELECT lines_likeness(?, ?, ?, ?)", line).fetchall() == [(told,)]


def test_order_of_words_and_empty_titles() -> None:
    found = likeness(
        ["fete port", "", "fete port"], ["port fete", "", ""], ["fete port", "", "fete port"], ["fete port", "", ""]
    )
    assert found.tolist() == [1, 1, 0]
