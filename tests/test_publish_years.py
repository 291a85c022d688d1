"""The page of a fiscal year: it compares what can be compared, and says nothing of the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

from pipelines.publish import headlines, year_changes
from pipelines.publish.context import Context
from pipelines.publish.database import PublicDatabase
from pipelines.publish.pages.years import build as pages
from pipelines.publish.year_changes import NOT_COMPARABLE, Year
from tests.publish_database import build

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NEWCOMER = "130000007"
"""A funder whose data begin in 2023."""


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = build(tmp_path_factory.mktemp("years") / "public.duckdb", size=60)
    with duckdb.connect(str(path)) as db:
        db.execute("DELETE FROM funding_by_funder_theme_year WHERE theme = 'health' AND fiscal_year = 2024")
        db.execute(
            "UPDATE funding_by_funder_year SET amount = NULL WHERE funder_id = '130000009' AND fiscal_year = 2022"
        )
    return path


@pytest.fixture(scope="module")
def context(database: Path) -> Iterator[Context]:
    with PublicDatabase(database) as opened:
        yield Context(opened)


def _year(context: Context, value: int) -> Year:
    table = context.database.table("funding_by_funder_year")
    return Year(value, value < 2026, *(table[table["fiscal_year"] == each] for each in (value, value - 1)))


def test_only_funders_with_both_years_are_compared(context: Context) -> None:
    made = year_changes.by_funder(context, _year(context, 2023)).set_index("funder_id")
    assert made.loc[NEWCOMER, "amount_before"] != made.loc[NEWCOMER, "amount_before"], "not observed is not zero"
    assert made.loc[NEWCOMER, "change"] != made.loc[NEWCOMER, "change"]
    [section] = year_changes.amounts(context, _year(context, 2023))
    figure = section.figures[0]
    words = [[cell.text for cell in row] for row in figure.table.rows() if "Hauts Cantons" in row[0].text]
    assert words[0][1] == words[0][3] == NOT_COMPARABLE
    known = made[(made["stage"] == "awarded") & (made["currency"] == "EUR")].dropna(subset=["change"])
    assert f"Chez {len(known)}\u00a0financeurs" in figure.summary
    assert "130000009" not in known.index, "an amount that is not told is no zero"


def test_a_theme_that_vanished_is_a_true_zero(context: Context) -> None:
    [section] = year_changes.themes(context, _year(context, 2024))
    frame = section.figures[0].frame.set_index("theme")
    assert frame.loc["health", "amount"] == 0
    assert frame.loc["health", "amount_before"] > 0
    assert frame.loc["health", "change"] == -frame.loc["health", "amount_before"]


def test_entries_and_losses_are_those_of_the_tables(context: Context) -> None:
    flows = year_changes.flows(context, _year(context, 2024)).set_index("funder_id")
    found = context.database.query(
        "SELECT now.funder_id, now.n_entries, before.n_lost_next FROM continuity_by_funder_year AS now"
        " LEFT JOIN continuity_by_funder_year AS before"
        " ON before.funder_id = now.funder_id AND before.fiscal_year = 2023 WHERE now.fiscal_year = 2024"
    )
    rows = list(found.itertuples(index=False))
    assert len(rows) == len(flows) > 5
    for funder, entries, lost in rows:
        for name, value in (("n_entries", entries), ("n_lost", lost)):
            told = flows.loc[funder, name]
            assert told == value or (told != told and value != value), (funder, name)


@pytest.mark.parametrize(("new", "funded", "claims"), [(0, 0, False), (4, 10, False), (5, 10, True), (10, 10, True)])
def test_a_headline_claims_only_a_majority(new: int, funded: int, claims: bool) -> None:
    assert headlines.entries(new, funded, 2024).startswith("Entrées, retours") is not claims


def test_a_year_in_progress_claims_nothing_and_the_first_compares_nothing(context: Context) -> None:
    found = {output.path: output.content.decode() for output in pages(context) if output.path.endswith(".html")}
    assert set(found) == {"annees/index.html", *(f"annees/{year}.html" for year in range(2019, 2027))}
    assert "est en cours" in found["annees/2026.html"]
    assert "en hausse" not in found["annees/2026.html"]
    assert "en baisse" not in found["annees/2026.html"]
    assert "rien ne se compare" in found["annees/2019.html"]
    assert 'id="themes"' not in found["annees/2019.html"]


def test_nobody_enters_after_a_year_that_is_not_observed(database: Path, tmp_path: Path) -> None:
    path = tmp_path / "public.duckdb"
    path.write_bytes(database.read_bytes())
    with duckdb.connect(str(path)) as db:
        db.execute(
            "UPDATE continuity_by_funder_year SET n_entries = 9, n_renewals = 0, n_returns = 0, is_previous_observed ="
            f" false WHERE funder_id = '{NEWCOMER}' AND fiscal_year = 2024"
        )
    with PublicDatabase(path) as opened:
        flows = year_changes.flows(Context(opened), _year(Context(opened), 2024)).set_index("funder_id")
    assert flows.loc[NEWCOMER, ["n_entries", "n_renewals", "n_returns"]].isna().all()
    assert flows["n_entries"].notna().sum() > 3
