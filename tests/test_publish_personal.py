"""Nothing in the site's bytes identifies a person, whatever the file; what is planted in the database is found."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from pipelines.publish.site import publish
from tests.publish_database import build
from tests.site_bytes import DECODED, identifying, texts

PLANTED = {
    "e-mail": "marie.durand@courriel.example",
    "phone": "06 12 34 56 78",
    "iban": "FR7630006000011234567890189",
    "siren": "999999995",
}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("personal") / "public.duckdb", size=20)


def test_nothing_identifies_a_person(database: Path, tmp_path: Path) -> None:
    publish(database, tmp_path)
    assert identifying(tmp_path, database, {PLANTED["siren"]}) == []
    assert {Path(name).suffix for name, _ in texts(tmp_path)} >= DECODED - {".xlsx"}  # its members are of other kinds


def test_what_is_planted_is_found_in_every_kind_of_file(database: Path, tmp_path: Path) -> None:
    """In the object of an award: in pages, scripts of the search, all the formats of the tables, the standards."""
    with duckdb.connect(str(database)) as db:
        [award] = db.execute(
            "SELECT application_id FROM awards WHERE amount IS NOT NULL ORDER BY fiscal_year DESC, amount DESC LIMIT 1"
        ).fetchall()
        db.execute("UPDATE awards SET title = ? WHERE application_id = ?", [" ; ".join(PLANTED.values()), *award])
    publish(database, tmp_path)
    found = identifying(tmp_path, database, {PLANTED["siren"]})
    for kind, value in PLANTED.items():
        names = [name for name, found_kind, found_value in found if found_kind == kind and found_value == value]
        assert {name.rsplit(".", 1)[-1] for name in names} >= {"html", "js", "csv", "xml", "parquet", "json"}, kind


def test_functional_contacts_may_be_read(database: Path, tmp_path: Path) -> None:
    with duckdb.connect(str(database)) as db:
        db.execute("UPDATE publication SET correction_address = ?", [PLANTED["e-mail"]])
    publish(database, tmp_path, only={"accueil", "mentions"})
    assert PLANTED["e-mail"] in (tmp_path / "mentions.html").read_text(encoding="utf-8")
    assert identifying(tmp_path, database) == []
