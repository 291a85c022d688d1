"""Totals stated by a funder: never added to lines, rates without any deduced refusal, and what the public sees."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.ingest.check import check_file
from pipelines.ingest.derive import Origin
from pipelines.warehouse import suppression
from pipelines.warehouse.build import BuildResult, build
from pipelines.warehouse.disclosure import publish_database
from schemas.funder import FunderFile
from schemas.publication import load_publication
from tests.warehouse_staging import AS_OF, Staging, line, lines, row, rows, total

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    Databases = tuple[Path, Path, BuildResult]


def built(folder: Path, staging: Staging) -> tuple[Path, Path, BuildResult]:
    """The two databases made of `staging`, and what the first build said."""
    funding, public = folder / "funding.duckdb", folder / "public.duckdb"
    result = build(staging.inputs(), funding)
    publish_database(funding, public, as_of=AS_OF, parameters=load_publication())
    return funding, public, result


def pair(territory: str, submitted: int | None, awarded: int | None, **values: Any) -> list[dict[str, Any]]:
    stated = (("submitted", submitted), ("awarded", awarded))
    return [total(m, n, territory=territory, **values) for m, n in stated if n is not None]


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Databases:
    folder = tmp_path_factory.mktemp("totaux")
    staging = Staging(folder / "staging")
    submitted = {"A": 100, "B": 60, "C": 12, "D": 9, "E": 40, "F": 30, "G": 8}
    awarded = {"A": 40, "B": 20, "C": 10, "D": 3, "E": None, "F": 0, "H": 5}
    cells = sorted({*submitted, *awarded})
    staging.deposit("t1", [], totals=[t for c in cells for t in pair(c, submitted.get(c), awarded.get(c))])
    return built(folder, staging)


def test_the_rate_is_that_of_stated_numbers(databases: Databases) -> None:
    funding, _, result = databases
    cells = {r["territory_name"]: r for r in rows(funding, "FROM stated_success_rates")}
    assert {name: cell["status"] for name, cell in cells.items()} == {
        "A": "shown", "B": "shown", "C": "shown", "D": "counts_only", "E": "awarded_not_published", "F": "shown",
        "G": "awarded_not_published", "H": "submitted_not_published",
    }  # fmt: skip
    assert cells["A"]["success_rate"] == pytest.approx(0.4, abs=1e-12)
    for bound in (cells["A"]["wilson_low"], cells["A"]["wilson_high"]):  # the roots of Wilson's quadratic
        assert (bound - 0.4) ** 2 == pytest.approx(1.959963984540054**2 * bound * (1 - bound) / 100, abs=1e-12)
    assert (cells["E"]["n_awarded"], cells["E"]["success_rate"]) == (None, None)
    assert (cells["F"]["n_awarded"], cells["F"]["success_rate"]) == (0, 0.0)
    assert result.blocking == []


def test_no_refusal_is_deduced_and_nothing_is_added_to_lines(databases: Databases) -> None:
    funding, _, _ = databases
    assert row(funding, "SELECT count(n_refused) AS n FROM stated_decisions") == {"n": 0}
    for table in ("applications", "decisions", "decision_counts", "refusal_rates_by_funder_year", "funders"):
        assert row(funding, f"SELECT count(*) AS n FROM {table}") == {"n": 0}


def test_the_public_sees_only_what_points_at_nobody(databases: Databases) -> None:
    _, public, _ = databases
    told = {(r["territory_name"], r["is_whole"]): r for r in rows(public, "FROM stated_success_rates")}
    whole = told.pop((None, True))
    # A to D and F state both numbers; C (2 of 12 not awarded), D (9) and F (all) cannot be shown alone.
    assert (whole["n_submitted"], whole["n_awarded"]) == (211, 73)
    assert {name: r["status"] for (name, _), r in told.items()} == {
        "A": "shown", "B": "shown", "C": "suppressed", "D": "suppressed", "E": "not_published", "F": "suppressed",
        "G": "not_published", "H": "not_published",
    }  # fmt: skip
    for (name, _), cell in told.items():
        if name not in ("A", "B"):
            assert (cell["n_submitted"], cell["success_rate"], cell["wilson_low"]) == (None, None, None)
    columns = {
        r["column_name"]
        for r in rows(public, "SELECT column_name FROM dictionary WHERE table_name = 'stated_success_rates'")
    }
    assert not any("refused" in column for column in columns)
    assert "stated_totals" not in {r["table_name"] for r in rows(public, "SELECT table_name FROM duckdb_tables()")}


@pytest.fixture(scope="module")
def funders(tmp_path_factory: pytest.TempPathFactory) -> Databases:
    """Six funders, each with a folder and a case of its own, in one warehouse."""
    folder = tmp_path_factory.mktemp("financeurs")
    staging = Staging(folder / "staging")

    def deposit(
        funder: str, number: int, totals: list[dict[str, Any]], given: Sequence[dict[str, Any]] = (), **stated: Any
    ) -> None:
        named = {"funder_name": funder}
        staging.deposit(
            f"{funder}-{number}", [{**each, **named} for each in given], totals=[{**each, **named} for each in totals],
            depositor=funder, **stated,
        )  # fmt: skip

    deposit("exhaustif", 1, [total("submitted", 50, territory=t) for t in ("A", "B")])
    deposit("exhaustif", 2, [total("awarded", 20, territory="A", is_exhaustive=True)])
    deposit("nouveau", 1, [total("awarded", 20), total("awarded", 7, territory="B")])
    deposit("nouveau", 2, [total("awarded", 21)], received_at=dt.datetime(2026, 2, 1))
    deposit("nouveau", 3, [total("awarded", 9, territory="C"), total("awarded", 8, territory="C")])
    both = [
        *(total(m, n, territory=None) for m, n in (("submitted", 30), ("awarded", 18), ("refused", 10))),
        *(total(m, n, territory=None, year=2022) for m, n in (("submitted", 40), ("awarded", 15))),
        *(total(m, n, territory="34", territory_code="34", territory_level="departement", year=2022)
          for m, n in (("submitted", 25), ("awarded", 15))),
    ]  # fmt: skip
    deposit("lignes", 1, both, [*lines(20), *lines(10, "refused", org=100), *lines(15, year=2022)])
    deposit("refus", 1, pair("A", 100, 40), [*lines(20), line("refused", org=99)])
    deposit("incoherent", 1, pair("A", 30, 31))
    staging.deposit("siren-1", lines(3, funder_siren="213401722"), totals=pair("A", 30, 11), depositor="siren")
    return built(folder, staging)


def offenders(result: BuildResult, check: str, funder: str) -> int:
    """How many offenders of a check are of one funder; all of them are kept."""
    [of_check] = [r for r in result.checks if r.check.name == check]
    assert of_check.sample.height == of_check.n_offenders
    return of_check.sample.filter(pl.col("funder_id") == funder).height


def test_a_table_said_to_be_exhaustive_states_zero(funders: Databases) -> None:
    funding, public, _ = funders
    of_b = "FROM stated_success_rates WHERE funder_id = 'exhaustif' AND territory_name = 'B'"
    cell = row(funding, of_b)
    assert (cell["status"], cell["n_awarded"], cell["success_rate"]) == ("shown", 0, 0.0)
    assert row(public, of_b)["status"] == "suppressed"


def test_the_newest_deposit_that_states_a_total_counts(funders: Databases) -> None:
    funding, _, result = funders
    told = rows(
        funding,
        "SELECT deposit_id, value::int AS v, not_counted_reason AS why FROM stated_totals"
        " WHERE funder_id = 'nouveau' ORDER BY ALL",
    )
    assert [(r["deposit_id"], r["v"], r["why"]) for r in told] == [
        ("nouveau-1", 7, None), ("nouveau-1", 20, "restated"), ("nouveau-2", 21, None),
        ("nouveau-3", 8, "contradicted"), ("nouveau-3", 9, "contradicted"),
    ]  # fmt: skip
    assert offenders(result, "stated_totals_hold_together", "nouveau") == 2


def test_lines_with_non_awards_win_and_a_disagreement_is_said(funders: Databases) -> None:
    funding, public, result = funders
    mine = "WHERE funder_id = 'lignes'"
    cells = rows(funding, f"FROM stated_decisions {mine} ORDER BY fiscal_year, territory_key NULLS LAST")
    assert [(r["fiscal_year"], r["is_superseded"], r["disagreeing_columns"]) for r in cells] == [
        (2022, False, None), (2022, False, None), (2023, True, "n_awarded"),
    ]  # fmt: skip
    assert [r["n_lines_total"] for r in cells] == [15, 15, 30]
    assert offenders(result, "stated_totals_agree_with_lines", "lignes") == 1
    assert result.blocking == []
    # 2023 is told by lines alone; of two cuts of 2022 the public sees one.
    assert {r["fiscal_year"] for r in rows(funding, f"FROM stated_success_rates {mine}")} == {2022}
    tables = f"SELECT count(DISTINCT stated_table) AS n FROM stated_success_rates {mine} AND is_public_table"
    assert row(funding, tables) == {"n": 1}
    assert row(public, f"SELECT count(*) AS n FROM stated_success_rates {mine}") == {"n": 1}
    rates = f"SELECT n_awarded, n_refused FROM refusal_rates_by_funder_year {mine} AND fiscal_year = 2023"
    assert row(funding, rates) == {"n_awarded": 20, "n_refused": 10}


def test_a_year_where_lines_tell_refusals_has_no_stated_total_for_the_public(funders: Databases) -> None:
    funding, public, _ = funders
    told = "FROM stated_success_rates WHERE funder_id = 'refus'"
    assert row(funding, f"SELECT status, is_public_table {told}") == {"status": "shown", "is_public_table": False}
    assert rows(public, told) == []


def test_more_awarded_than_submitted_has_no_rate(funders: Databases) -> None:
    funding, public, result = funders
    told = "FROM stated_success_rates WHERE funder_id = 'incoherent'"
    assert row(funding, f"SELECT status, success_rate {told}") == {"status": "inconsistent", "success_rate": None}
    assert row(public, f"SELECT status, n_submitted {told}") == {"status": "inconsistent", "n_submitted": None}
    assert offenders(result, "stated_totals_hold_together", "incoherent") == 1


def test_totals_take_the_funder_of_the_lines_of_the_same_folder(funders: Databases) -> None:
    funding, _, _ = funders
    told = "SELECT DISTINCT funder_id FROM stated_totals WHERE deposit_id = 'siren-1'"
    assert row(funding, told) == {"funder_id": "213401722"}
    assert row(funding, "SELECT funder_id FROM stated_success_rates WHERE n_submitted = 30 AND n_awarded = 11") == {
        "funder_id": "213401722"
    }


counts = st.tuples(st.integers(0, 40), st.integers(0, 40))


@settings(max_examples=150, deadline=None)
@given(st.lists(counts, min_size=1, max_size=7))
def test_what_is_hidden_is_not_given_back_by_any_difference(table: list[tuple[int, int]]) -> None:
    """Every set of hidden cells that a total less shown cells isolates is itself safe."""
    limits = suppression.Thresholds(10, 5)
    atoms = pl.DataFrame(
        [("t", 2023, "—", f"c{i}", "—", "not_awarded", a, c, False) for i, (a, c) in enumerate(table)],
        schema=suppression.ATOMS,
        orient="row",
    )
    published = pl.DataFrame(
        {"funder_id": ["t", "t"], "fiscal_year": [2023, 2023], "service_key": [None, "—"]},
        schema={"funder_id": pl.String, "fiscal_year": pl.Int32, "service_key": pl.String},
    )
    schemes = pl.DataFrame(schema={n: suppression.ATOMS[n] for n in suppression.SCHEME_YEAR})
    shown = suppression.protect(atoms, limits, published=published, published_schemes=schemes)

    def is_safe(a: int, c: int) -> bool:
        return (c == 0 and a >= 10) or (c >= 5 and a >= 5 and a + c >= 10)

    cells = set(shown.territory_year["departement_code"])
    for i, (a, c) in enumerate(table):
        assert f"c{i}" not in cells or is_safe(a, c)
    hidden = [pair for i, pair in enumerate(table) if f"c{i}" not in cells and pair != (0, 0)]
    if shown.funder_year.height and hidden:
        assert is_safe(sum(a for a, _ in hidden), sum(c for _, c in hidden))
        assert len(hidden) > 1 or sum(c for _, c in table) == 0
    assert shown.funder_year.height or not cells


def test_the_two_real_tables_give_the_success_rate(real_files: Path, tmp_path: Path) -> None:
    staging = Staging(tmp_path / "staging")
    stated: dict[tuple[str, int], dict[str, int]] = {}
    for number, path in enumerate(sorted((real_files / "erc").glob("*.xlsx"))):
        outcome = check_file(path.read_bytes(), Origin(f"t{number}", "erc", path.name, FunderFile(name="ERC")))
        totals = outcome.others["decision_count"]
        staging.deposit(f"t{number}", [], totals=totals.to_dicts(), rows_read=outcome.report.rows_read,
                        rows_accepted=outcome.report.rows_accepted)  # fmt: skip
        for cell in totals.iter_rows(named=True):
            stated.setdefault((cell["territory_name"], cell["fiscal_year"]), {})[cell["measure"]] = int(cell["value"])
    funding, public, result = built(tmp_path, staging)
    assert result.blocking == []
    both = {key: cell for key, cell in stated.items() if len(cell) == 2}
    only_evaluated = {key for key, cell in stated.items() if set(cell) == {"submitted"}}
    assert only_evaluated
    assert row(funding, "SELECT count(n_refused) AS n FROM stated_decisions") == {"n": 0}
    assert rows(public, "FROM refusal_rates_by_funder_year") == []
    rates = {(r["territory_name"], r["fiscal_year"]): r for r in rows(funding, "FROM stated_success_rates")}
    assert len(rates) == len(stated)
    for key, cell in stated.items():
        rate = rates[key]
        assert (rate["n_submitted"], rate["n_awarded"]) == (cell.get("submitted"), cell.get("awarded"))
        if key in both and cell["submitted"] >= 10 and cell["awarded"] <= cell["submitted"]:
            assert rate["success_rate"] == pytest.approx(cell["awarded"] / cell["submitted"], abs=1e-12)
        elif key not in both:
            assert (rate["success_rate"], rate["status"]) == (None, "awarded_not_published")
    for told in rows(public, "FROM stated_success_rates WHERE NOT is_whole"):
        cell = stated[told["territory_name"], told["fiscal_year"]]
        only_evaluated.discard((told["territory_name"], told["fiscal_year"]))
        if len(cell) == 1:
            assert (told["status"], told["n_submitted"], told["success_rate"]) == ("not_published", None, None)
        if told["status"] == "shown":
            not_awarded = cell["submitted"] - cell["awarded"]
            assert cell["submitted"] >= 10
            assert not_awarded == 0 or 5 <= not_awarded <= cell["submitted"] - 5
    assert only_evaluated == set()
    assert row(
        public, "SELECT count(*) FILTER (status = 'shown' AND NOT is_whole) > 100 AS many FROM stated_success_rates"
    ) == {"many": True}
