"""Work done once for each distinct cell, and searches cut short by a cheaper one, say what the plain ones say."""

from __future__ import annotations

import re

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipelines.ingest.findings import Findings
from pipelines.ingest.identity import repeated
from pipelines.ingest.personal import PATTERNS, mask, masked
from schemas.distinct import Distinct


@pytest.mark.parametrize("different", [1, 40, 20_000])
def test_distinct_cells_given_back_to_the_lines_are_the_column(different: int) -> None:
    column = pl.Series([None if n % 7 == 0 else f"cellule {n % different}" for n in range(20_000)])
    distinct = Distinct.of(column)
    assert (distinct.places is None) == (different == 20_000)
    assert distinct.over(distinct.cells).to_list() == column.to_list()


def test_what_is_found_of_a_distinct_cell_is_said_of_each_of_its_lines() -> None:
    column = Distinct(pl.Series(["a", "b"]), pl.Series([0, 1, 0, 1, 1], dtype=pl.UInt32))
    findings = Findings(column=column)
    findings.add("wrong", "title", column.cells, pl.Series([False, True]), details=pl.Series(["x", "y"]))
    findings.add_once("odd", "title", column.cells, pl.Series([True, None]))
    findings.count_personal("téléphone", pl.Series([True, False]))
    assert findings.rows == [
        *((n, "title", "wrong", "b", "y") for n in (1, 3, 4)),
        (0, "title", "odd", "a", "2 cellules"),
    ]
    assert findings.personal == {"téléphone": 2}


@given(st.lists(st.tuples(*[st.sampled_from(["", "a", "b", None])] * 3), max_size=30))
def test_repeated_rows_are_those_that_equal_another(rows: list[tuple[str | None, ...]]) -> None:
    frame = pl.DataFrame(rows, schema=dict.fromkeys("ABC", pl.String), orient="row")
    assert repeated(frame).to_list() == [n for n, row in enumerate(rows) if rows.count(row) > 1]


_VALUES = st.one_of(*(st.from_regex(pattern, fullmatch=True) for pattern in PATTERNS.values()), st.text(max_size=20))


@example(
    ["né à Bastia, 1 85 03 2B 123 456 89", "01.23.45.67.89", "+33 (0)6 12 34 56 78", "FR7630006000011234567890189"]
)
@settings(deadline=None)
@given(st.lists(st.lists(_VALUES, max_size=3).map(" ; ".join), max_size=8))
def test_every_personal_value_is_taken_out(cells: list[str]) -> None:
    column = pl.Series(cells, dtype=pl.String)
    without, found = masked(column)
    plain = {kind: column.str.contains(pattern).to_list() for kind, pattern in PATTERNS.items()}
    assert {kind: places.to_list() for kind, places in found.items()} == {k: p for k, p in plain.items() if any(p)}
    ascii_cells = [(cell, got) for cell, got in zip(cells, without.to_list(), strict=True) if cell.isascii()]
    assert all(got == mask(cell) for cell, got in ascii_cells if not re.search(r"[\x1c-\x1f]", cell))
