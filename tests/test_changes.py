"""What changed between two publications: counted on the public tables, carried over, never lost, telling no secret."""

from __future__ import annotations

import shutil
from decimal import Decimal
from itertools import count
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from pipelines.warehouse import changes
from pipelines.warehouse.build import build
from pipelines.warehouse.comments import key_of
from pipelines.warehouse.disclosure import publish_database
from schemas.publication import load_publication
from tests.warehouse_staging import AS_OF, Staging, line, lines, rows

if TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

DAYS = [AS_OF.replace(day=day) for day in (20, 21, 22, 23)]
_folders = count()
GRANTED = lines(40, org=1, funder_name="Autre")
REFUSED = lines(22, "refused", org=1000, funder_name="Autre")


def publish(folder: Path, given: list[dict[str, Any]], *, day: dt.date) -> None:
    staging = Staging(folder / f"staging-{next(_folders)}")
    staging.deposit("d1", given)
    build(staging.inputs(as_of=day), folder / "funding.duckdb")
    publish_database(folder / "funding.duckdb", folder / "public.duckdb", as_of=day, parameters=load_publication())


def told(folder: Path, table: str = "table", where: str = "true") -> list[dict[str, Any]]:
    return rows(folder / "public.duckdb", f"SELECT * FROM changes_by_{table} WHERE {where} ORDER BY ALL")


def award(number: int, amount: int, **values: Any) -> dict[str, Any]:
    return line("awarded", org=number, amount=amount, application_id=f"app-{number}", **values)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three publications: the first, one with changes, the same again. Another funder has two more refusals."""
    folder = tmp_path_factory.mktemp("changes")
    publish(folder, [award(n, 100) for n in range(1, 11)] + GRANTED + REFUSED[:20], day=DAYS[0])
    assert told(folder) == told(folder, "funder") == []
    given = [award(n, 100) for n in range(3, 11)] + [award(20, 70), award(21, 30)]
    given[0] = award(3, 175)
    given[1] = award(4, 100, source_updated_at=DAYS[1])
    publish(folder, given + GRANTED + REFUSED, day=DAYS[1])
    publish(folder, given + GRANTED + REFUSED, day=DAYS[2])
    return folder


def test_rows_added_removed_and_changed_are_counted(folder: Path) -> None:
    [awards] = told(folder, where="table_name = 'awards' AND publication = 2")
    assert (awards["n_rows_before"], awards["n_rows_after"]) == (50, 50)
    # a newer date of the source makes no line another one
    assert (awards["n_added"], awards["n_removed"], awards["n_changed"]) == (2, 2, 1)
    assert (awards["former_as_of"], awards["as_of"]) == (DAYS[0], DAYS[1])


def test_euros_of_every_funder_are_counted(folder: Path) -> None:
    [funder] = told(folder, "funder")
    assert (funder["n_added"], funder["n_removed"], funder["n_changed"]) == (2, 2, 1)
    assert [funder[f"amount_{name}"] for name in ("added", "removed", "changed", "before", "after")] == [
        Decimal(100), Decimal(200), Decimal(75), Decimal(1000), Decimal(975),
    ]  # fmt: skip
    moved = funder["amount_added"] - funder["amount_removed"] + funder["amount_changed"]
    assert funder["amount_after"] - funder["amount_before"] == moved


def test_publishing_the_same_again_changes_nothing(folder: Path) -> None:
    """The third publication, a day later, says what the second said."""
    assert {row["publication"] for row in told(folder)} == {2}
    assert {row["as_of"] for row in told(folder)} == {DAYS[1]}


def test_history_outlives_the_database(folder: Path, tmp_path: Path) -> None:
    """`make clean` removes the database, not the folder of publications."""
    (tmp_path / "publications").mkdir()
    kept = folder / "publications" / changes.LAST
    (tmp_path / "publications" / changes.LAST).write_bytes(kept.read_bytes())
    (tmp_path / "public.duckdb").write_bytes(b"damaged")
    publish(tmp_path, [award(n, 100) for n in range(3, 11)] + GRANTED, day=DAYS[3])
    assert {row["publication"] for row in told(tmp_path)} == {2, 3}
    [awards] = told(tmp_path, where="table_name = 'awards' AND publication = 3")
    assert (awards["n_added"], awards["n_removed"], awards["n_changed"]) == (0, 2, 1)
    assert (awards["former_as_of"], awards["as_of"]) == (DAYS[2], DAYS[3])


def test_new_and_missing_tables_and_columns_are_told(folder: Path, tmp_path: Path) -> None:
    former = tmp_path / "public.duckdb"
    former.write_bytes((folder / "public.duckdb").read_bytes())
    shutil.copytree(folder / "publications", tmp_path / "publications")
    with duckdb.connect(str(former)) as db:
        db.execute("DROP TABLE sources")
        db.execute("CREATE TABLE gone AS SELECT 1 AS a UNION ALL SELECT 1")
        db.execute("ALTER TABLE awards DROP COLUMN call_id")
        db.execute("ALTER TABLE funders DROP COLUMN siren")
    publish_database(folder / "funding.duckdb", former, as_of=DAYS[3], parameters=load_publication())
    found = {row["table_name"]: row for row in told(tmp_path, where="publication = 3")}
    assert (found["sources"]["n_rows_before"], found["sources"]["n_added"]) == (None, 2)
    assert (found["gone"]["n_rows_after"], found["gone"]["n_removed"]) == (None, 2)
    assert set(found) == {"sources", "gone"}


def test_every_public_table_has_a_key_that_holds(folder: Path) -> None:
    database = folder / "public.duckdb"
    for found in rows(database, "SELECT table_name AS name FROM duckdb_tables() WHERE NOT internal"):
        key = key_of(found["name"])
        assert key, f"{found['name']}: no key under [keys] in columns.toml"
        listed = ", ".join(key)
        [counted] = rows(
            database, f"SELECT count(*) AS n, count(DISTINCT ({listed}, 1)) AS n_keys FROM {found['name']}"
        )
        assert counted["n"] == counted["n_keys"], found["name"]


def test_changes_tell_nothing_of_refusals(folder: Path) -> None:
    """Two more refusals move no award and no euro: no row of a funder, whatever the tables of rates say."""
    assert told(folder, "funder", "funder_id = 'autre'") == []
    [awards] = told(folder, where="table_name = 'awards'")
    assert (awards["n_added"], awards["n_removed"], awards["n_changed"]) == (2, 2, 1), "those of the first funder"
