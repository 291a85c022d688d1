"""Several files of one depositor: replaced, added, restated, held; and the order of arrival changes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import permutations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.ingest.matching import COLUMNS, count_matches
from pipelines.ingest.versions import Candidate, Version, decide, loses_too_much
from schemas.application import Application
from schemas.contract import polars_schema
from schemas.funder import FunderFile, Wins

TYPES = polars_schema(Application)


def lines(numbers: range, *, year: int = 2024, euros: int = 100, title: str = "Projet") -> pl.DataFrame:
    rows = {
        "fiscal_year": [year] * len(numbers),
        "case_number": [None] * len(numbers),
        "applicant_siren": [None] * len(numbers),
        "applicant_name": [f"Association {n}" for n in numbers],
        "amount_awarded": [euros + n for n in numbers],
        "amount_paid": [None] * len(numbers),
        "title": [f"{title} {n}" for n in numbers],
        "funder_name": ["F"] * len(numbers),
    }
    return pl.DataFrame(rows, schema={name: TYPES[name] for name in COLUMNS})


def file(
    name: str, content: pl.DataFrame, *, stated: date | None = None, arrival: int = 1, format_id: str = "f",
    released: bool = False,
) -> Candidate:  # fmt: skip
    return Candidate(name, name, format_id, stated, arrival, content, states_funder=True, is_released=released)


def outcome(versions: list[Version]) -> dict[tuple[str, int], str]:
    return {(v.deposit_id, v.fiscal_year): v.reason for v in versions}


def test_a_file_that_holds_the_older_one_replaces_it() -> None:
    old, new = file("old", lines(range(100))), file("new", lines(range(5, 110)), arrival=2)
    assert outcome(decide([old, new], FunderFile())) == {("old", 2024): "replaced", ("new", 2024): "counted"}


def test_files_that_share_nothing_add_up() -> None:
    first, second = file("a", lines(range(50))), file("b", lines(range(50, 100)), arrival=2)
    assert set(outcome(decide([first, second], FunderFile())).values()) == {"counted"}


def test_in_between_is_a_restatement() -> None:
    old, new = file("old", lines(range(100))), file("new", lines(range(50, 150)), arrival=2)
    versions = decide([old, new], FunderFile())
    assert outcome(versions) == {("old", 2024): "restated", ("new", 2024): "counted"}
    assert {v.lines_matched for v in versions} == {50}


def test_years_are_compared_one_by_one() -> None:
    old = file("old", pl.concat([lines(range(50), year=2023), lines(range(50), year=2024)]))
    new = file("new", lines(range(50), year=2024), arrival=2)
    assert outcome(decide([old, new], FunderFile())) == {
        ("old", 2023): "counted", ("old", 2024): "replaced", ("new", 2024): "counted",
    }  # fmt: skip


def test_an_extract_of_a_larger_file_is_held_until_released() -> None:
    whole, extract = file("whole", lines(range(1000))), file("extract", lines(range(10)), arrival=2)
    assert outcome(decide([whole, extract], FunderFile())) == {("whole", 2024): "counted", ("extract", 2024): "held"}
    freed = file("extract", lines(range(10)), arrival=2, released=True)
    assert outcome(decide([whole, freed], FunderFile()))[("extract", 2024)] == "counted"


def test_fewer_euros_hold_a_file_too() -> None:
    old, new = file("old", lines(range(100), euros=1000)), file("new", lines(range(100), euros=10), arrival=2)
    assert outcome(decide([old, new], FunderFile()))[("new", 2024)] == "held"


def test_the_date_a_file_states_beats_its_arrival() -> None:
    late = file("late", lines(range(100)), stated=date(2024, 1, 1), arrival=2)
    early = file("early", lines(range(100)), stated=date(2024, 6, 1), arrival=1)
    for order in permutations([late, early]):
        assert outcome(decide(list(order), FunderFile())) == {("late", 2024): "replaced", ("early", 2024): "counted"}


@pytest.mark.parametrize("arrivals", list(permutations([1, 2, 3])))
def test_two_halves_form_one_set_and_the_declared_set_wins(arrivals: tuple[int, ...]) -> None:
    halves = [file("set-1", lines(range(80)), arrival=arrivals[0], format_id="set"),
              file("set-2", lines(range(80, 100)), arrival=arrivals[1], format_id="set")]  # fmt: skip
    other = file("first", lines(range(90), title="PROJET"), arrival=arrivals[2], format_id="first")
    declared = FunderFile(wins=(Wins(years=(2024,), file="set-*"),))
    versions = {v.deposit_id: v for v in decide([*halves, other], declared)}
    assert {name: v.reason for name, v in versions.items()} == {
        "set-1": "counted",
        "set-2": "counted",
        "first": "restated",
    }
    assert versions["first"].lines_matched == 90
    assert versions["first"].decided_by == "funder_file"


@pytest.mark.parametrize(
    ("found", "told"),
    [(80, ("replaced", "counted")), (79, ("restated", "counted")), (6, ("restated", "counted")),
     (5, ("counted", "counted")), (0, ("counted", "counted"))],
)  # fmt: skip
def test_the_thresholds(found: int, told: tuple[str, str]) -> None:
    """80 % of the older one found: replaced; 5 % at most: added; in between: restated."""
    old, new = file("old", lines(range(100))), file("new", lines(range(100 - found, 200 - found)), arrival=2)
    by_name = outcome(decide([new, old], FunderFile()))
    assert (by_name["old", 2024], by_name["new", 2024]) == told


@pytest.mark.parametrize(
    ("new", "is_too_much"),
    [(lines(range(95)), False), (lines(range(94)), True), (lines(range(100), euros=92), False),
     (lines(range(100), euros=80), True), (lines(range(200), euros=-95), True)],
    ids=["5 % of lines", "6 % of lines", "less than 10 % of euros", "more than 10 % of euros", "more lines, no euros"],
)  # fmt: skip
def test_what_is_too_much_to_lose(new: pl.DataFrame, is_too_much: bool) -> None:
    assert loses_too_much(lines(range(100)), new) is is_too_much


@settings(deadline=None, max_examples=30)
@given(st.permutations(range(4)), st.permutations(range(4)), st.sets(st.integers(1, 12), min_size=4, max_size=4))
def test_arrivals_change_nothing_when_files_state_their_dates(
    order: list[int], arrivals: list[int], months: set[int]
) -> None:
    contents = [lines(range(100)), lines(range(10, 112)), lines(range(60, 180)), lines(range(500, 520))]
    dates = [date(2024, month, 1) for month in sorted(months)]
    files = [file(f"f{n}", contents[n], stated=dates[n], arrival=arrivals[n] + 1) for n in range(4)]
    first = outcome(decide([replace(one, arrival=n) for n, one in enumerate(files)], FunderFile()))
    assert outcome(decide([files[n] for n in order], FunderFile())) == first


def test_files_of_one_format_are_compared_on_case_numbers() -> None:
    """The same titles and amounts under other numbers are other lines; one number is one line."""
    old = lines(range(50)).with_columns(case_number=pl.Series([f"24-{n}" for n in range(50)]))
    other = old.with_columns(case_number=pl.Series([f"24-{n}" for n in range(100, 150)]))
    restated = old.with_columns(amount_awarded=pl.col("amount_awarded") * 2, title=pl.lit("autre"))
    assert count_matches(old, other, by_case=True, by_funder=False) == 0
    assert count_matches(old, other, by_case=False, by_funder=False) == 50
    assert count_matches(old, restated, by_case=True, by_funder=False) == 50


def test_the_funder_counts_only_where_both_files_state_it() -> None:
    old, other = lines(range(50)), lines(range(50)).with_columns(funder_name=pl.lit("G"))
    assert count_matches(old, other, by_case=False, by_funder=True) == 0
    assert count_matches(old, other, by_case=False, by_funder=False) == 50
    stated, silent = file("a", old), replace(file("b", other, arrival=2, format_id="g"), states_funder=False)
    assert outcome(decide([stated, silent], FunderFile()))["a", 2024] == "replaced"
    assert outcome(decide([stated, replace(silent, states_funder=True)], FunderFile()))["a", 2024] == "counted"


def test_lines_match_one_to_one() -> None:
    assert (
        count_matches(
            pl.concat([lines(range(1))] * 3), pl.concat([lines(range(1))] * 2), by_case=False, by_funder=False
        )
        == 2
    )


def test_the_two_publications_of_one_year_are_matched(real_files: object) -> None:
    from pathlib import Path

    from pipelines.ingest.check import check_file
    from pipelines.ingest.normalise import Origin

    folder = Path(str(real_files)) / "paris"
    outcomes = [
        check_file(p.read_bytes(), Origin(p.name, "paris", p.name, FunderFile())) for p in sorted(folder.iterdir())
    ]
    later = pl.concat([o.accepted for o in outcomes if o.report.format == "paris-2013-2019"])
    [first] = [o.accepted for o in outcomes if o.report.format == "paris-2013"]
    share = (
        count_matches(first, later.filter(pl.col("fiscal_year") == 2013), by_case=False, by_funder=False) / first.height
    )
    assert share >= 0.94
