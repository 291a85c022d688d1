"""How databases are built: order, swap, partial rebuild, checks, comments."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from pipelines.warehouse import comments
from pipelines.warehouse.build import BlockedBuild, build
from pipelines.warehouse.disclosure import publish_database
from pipelines.warehouse.graph import checks, downstream, models, public_models, with_temporary
from schemas.publication import load_publication
from tests.warehouse_staging import AS_OF, Staging, line, lines, row, rows


@pytest.fixture(scope="module")
def staging(tmp_path_factory: pytest.TempPathFactory) -> Staging:
    made = Staging(tmp_path_factory.mktemp("staging"))
    made.deposit("d1", lines(12, year=2022) + lines(6, "refused", org=50, year=2022) + [line(year=2023)])
    return made


@pytest.fixture(scope="module")
def funding(staging: Staging, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("warehouse") / "funding.duckdb"
    result = build(staging.inputs(), target)
    assert result.rows["applications"] == 19
    assert set(result.seconds) == {model.name for model in models()}
    assert all(check.is_passed for check in result.checks)
    return target


def test_equal_inputs_leave_the_database_and_check_it_again(staging: Staging, funding: Path, tmp_path: Path) -> None:
    target = Path(shutil.copytree(funding.parent, tmp_path / "warehouse")) / "funding.duckdb"
    before = target.stat().st_mtime_ns
    again = build(staging.inputs(), target)
    assert (again.seconds, target.stat().st_mtime_ns) == ({}, before)
    assert len(again.checks) == len(checks())
    assert again.rows["applications"] == 19
    build(staging.inputs(), target, select={"funders"})
    assert build(staging.inputs(), target).seconds
    target.write_bytes(b"abime")
    assert build(staging.inputs(), target).seconds


def test_models_come_after_what_they_read() -> None:
    for graph in (models(), public_models()):
        seen: set[str] = set()
        for model in graph:
            assert set(model.depends_on) <= seen, model.name
            assert model.description.endswith("."), model.name
            seen.add(model.name)


def test_public_models_read_the_attached_database_or_working_tables_only() -> None:
    given = {
        "shown_funder_year",
        "shown_service_year",
        "shown_territory_year",
        "shown_scheme_year",
        "shown_reasons",
        "shown_stated_cells",
        "shown_stated_wholes",
        "contract_fields",
    }
    for model in public_models():
        assert all(name.startswith("funding.") or name in given for name in model.reads), model


def test_a_changed_deposit_reaches_every_mart() -> None:
    reached = downstream({"applications"}, graph=models())
    assert {"funders", "funding_by_funder_year", "refusal_rates_by_service_territory_year"} <= reached
    assert "deposits" not in reached


def test_every_check_says_whether_it_blocks() -> None:
    assert len(checks()) > 10
    assert all(check.description.endswith(".") for check in checks())


IN_NO_ORDER = {"applications", "decisions", "funding_years", "relation_amounts"}
"""The tables of every line: to sort them would cost as much as all the rest, so their rows come as they come."""


def test_equal_inputs_give_equal_tables_in_equal_order(staging: Staging, funding: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.duckdb"
    build(staging.inputs(), again)
    with duckdb.connect(str(funding), read_only=True) as first, duckdb.connect(str(again), read_only=True) as second:
        for model in (model for model in models() if not model.is_temporary):
            sql = f'FROM "{model.name}"' + (" ORDER BY ALL" if model.name in IN_NO_ORDER else "")
            assert first.sql(sql).pl().equals(second.sql(sql).pl()), model.name


def test_every_other_table_is_sorted() -> None:
    kept = [model for model in models() if not model.is_temporary and not model.is_view]
    assert {model.name for model in kept if "order by" not in model.sql[model.sql.rindex("from") :]} == IN_NO_ORDER


def test_the_file_opens_in_older_tools(funding: Path) -> None:
    # storage number 66, « B », is that of DuckDB 1.3
    assert funding.read_bytes()[8:13] == b"DUCKB"


def test_a_blocking_check_keeps_the_former_database(staging: Staging, funding: Path, tmp_path: Path) -> None:
    target = tmp_path / "funding.duckdb"
    target.write_bytes(funding.read_bytes())
    unbalanced = Staging(tmp_path / "staging")
    unbalanced.deposit("d1", [line()], rows_read=5)
    with pytest.raises(BlockedBuild, match="Lignes lues") as caught:
        build(unbalanced.inputs(), target)
    assert [result.check.name for result in caught.value.result.blocking] == ["deposits_balance"]
    assert target.read_bytes() == funding.read_bytes()
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["funding.duckdb"]


def test_a_failing_build_leaves_nothing_behind(tmp_path: Path) -> None:
    missing = Staging(tmp_path / "staging")
    missing.deposit("d1", [line()])
    (tmp_path / "staging" / "d1" / "accepted.parquet").unlink()
    with pytest.raises(Exception, match="accepted"):
        build(missing.inputs(), tmp_path / "funding.duckdb")
    assert [path.name for path in tmp_path.iterdir()] == ["staging"]


def test_select_rebuilds_only_what_follows(funding: Path, tmp_path: Path) -> None:
    target = tmp_path / "funding.duckdb"
    target.write_bytes(funding.read_bytes())
    changed = Staging(tmp_path / "staging")
    changed.deposit("d1", lines(19))
    changed.declare(publishes_refusals=True)
    result = build(changed.inputs(), target, select={"refusal_publication"})
    followers = downstream({"refusal_publication"}, graph=models())
    assert set(result.seconds) == with_temporary(followers, graph=models())
    # applications were not selected: they are those of the copied file
    assert row(target, "SELECT min(published) AS published, min(n_lines) AS n FROM refusal_publication") == {
        "published": True,
        "n": 1,
    }
    with pytest.raises(KeyError, match="nothing_such"):
        build(changed.inputs(), target, select={"nothing_such"})


def test_temporary_models_are_made_for_what_reads_them_and_kept_in_no_file(
    staging: Staging, funding: Path, tmp_path: Path
) -> None:
    temporary = {model.name for model in models() if model.is_temporary}
    assert {"cofunding_nodes", "project_titles"} <= temporary
    target = tmp_path / "funding.duckdb"
    target.write_bytes(funding.read_bytes())
    with duckdb.connect(str(target)) as connection:
        connection.execute("CREATE TABLE cofunding_nodes AS SELECT 1 AS left_by_older_code")
    result = build(staging.inputs(), target, select={"cofunding_links"})
    assert temporary <= set(result.seconds)
    assert "applications" not in result.seconds
    with duckdb.connect(str(target), read_only=True) as connection:
        kept = {row[0] for row in connection.sql("SELECT table_name FROM duckdb_tables()").fetchall()}
    assert kept == {model.name for model in models()} - temporary


def test_an_empty_warehouse_can_be_built_and_published(tmp_path: Path) -> None:
    build(Staging(tmp_path).inputs(), tmp_path / "funding.duckdb")
    published = publish_database(
        tmp_path / "funding.duckdb", tmp_path / "public.duckdb", as_of=AS_OF, parameters=load_publication()
    )
    assert published.rows["publication"] == 1
    assert row(tmp_path / "public.duckdb", "SELECT n_awards, is_demonstration FROM publication") == {
        "n_awards": 0,
        "is_demonstration": False,
    }


def test_every_table_and_column_is_described_in_french(funding: Path, tmp_path: Path) -> None:
    public = tmp_path / "public.duckdb"
    publish_database(funding, public, as_of=AS_OF, parameters=load_publication())
    for database in (funding, public):
        bare = rows(
            database,
            "SELECT table_name, column_name FROM duckdb_columns() WHERE coalesce(comment, '') = '' AND NOT internal"
            " UNION ALL SELECT table_name, NULL FROM duckdb_tables() WHERE coalesce(comment, '') = ''",
        )
        assert bare == []
    n_columns = row(public, "SELECT count(*) AS n FROM duckdb_columns() WHERE NOT internal")["n"]
    assert row(public, "SELECT count(*) AS n FROM dictionary WHERE title <> '' AND description <> ''")["n"] == n_columns


def test_the_contract_has_the_first_word_on_its_fields() -> None:
    assert comments.words("applications", "fiscal_year").title == "Exercice"
    assert comments.words("dictionary", "title").title == "Titre"
    with pytest.raises(KeyError, match=r"applications\.nothing_such"):
        comments.words("applications", "nothing_such")
