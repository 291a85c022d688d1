"""« Cofinancements »: headlines with their conditions, shares and pairs against the table they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipelines.publish import cofunding, headlines
from pipelines.publish.database import PublicDatabase
from tests.publish_database import build

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PublicDatabase]:
    with PublicDatabase(build(tmp_path_factory.mktemp("public") / "public.duckdb", size=60)) as opened:
        yield opened


def only(database: PublicDatabase, sql: str) -> int:
    return int(database.query(sql)["n"].iloc[0])


def test_headlines_say_what_a_condition_allows() -> None:
    assert headlines.several_funders(0, 40).startswith("Aucun projet")
    assert headlines.several_funders(10, 40) == "25\u00a0% des projets aidés par plusieurs financeurs"
    neutral = "Qui finance avec qui"
    assert headlines.first_pair([], 0, neutral=neutral) == neutral
    assert headlines.first_pair([("A et B", 2), ("A et C", 2)], 4, neutral=neutral) == neutral
    assert headlines.first_pair([("A et B", 2), ("A et C", 1)], 20, neutral=neutral) == neutral
    assert headlines.first_pair([("A et B", 6), ("A et C", 1)], 20, neutral=neutral).startswith("A et B : 30")


def test_the_share_is_that_of_projects(database: PublicDatabase) -> None:
    figure = cofunding.shares(database, id="part", source="s")
    assert figure is not None
    assert figure.frame["n_projects"].sum() == only(database, "SELECT count(*) AS n FROM cofunded_projects")
    assert figure.frame["share"].between(0, 1).all()
    one = figure.frame.iloc[0]
    assert one["n_all"] == one["n_comparable"] - one["n_cofunded"] + one["n_projects"]
    assert "sans cette information" in figure.coverage


@pytest.mark.parametrize("key", ["funder_id", "funder_level"])
def test_pairs_are_those_of_the_projects(database: PublicDatabase, key: str) -> None:
    figure = cofunding.pairs(database, key=key, id="p", one="financeur", name=str, source="s")
    assert figure is not None
    first = figure.frame.iloc[0]
    shared = only(
        database,
        f"""
        SELECT count(DISTINCT a.project_id) AS n FROM cofunded_lines AS a JOIN cofunded_lines AS b USING (project_id)
        WHERE a.{key} = '{first["first"]}' AND b.{key} = '{first["second"]}' AND a.funder_id <> b.funder_id
    """,
    )
    assert first["n_projects"] == shared == figure.frame["n_projects"].max()
    assert (figure.frame["n_stated"] <= figure.frame["n_projects"]).all()
    put = database.query(f"""
        SELECT sum(amount) AS n FROM cofunded_lines AS mine
        WHERE {key} = '{first["first"]}' AND currency = 'EUR' AND stage = 'awarded' AND project_id IN (
            SELECT a.project_id FROM cofunded_lines AS a JOIN cofunded_lines AS b USING (project_id)
            WHERE a.{key} = '{first["first"]}' AND b.{key} = '{first["second"]}' AND a.funder_id <> b.funder_id
        )
    """)["n"].iloc[0]
    assert first["amount_first"] == pytest.approx(float(put))


def test_the_largest_projects_name_their_funders(database: PublicDatabase) -> None:
    found = cofunding.largest(database, 10, str)
    assert len(found) == 10
    assert found["amount"].is_monotonic_decreasing
    assert (found["n_funders"] == [len(names) for names in found["funders"]]).all()
    assert set(found["proof"]) <= {"déclaré", "probable"}
