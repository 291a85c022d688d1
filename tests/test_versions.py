"""Several files of one depositor: replaced, added, restated, held; and the order of arrival changes nothing."""

from __future__ import annotations

from datetime import date
from itertools import permutations

import polars as pl
import pytest

from pipelines.ingest.matching import COLUMNS, count_matches
from pipelines.ingest.versions import Candidate, Version, decide
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
