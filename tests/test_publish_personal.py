"""Nothing in the site's bytes identifies a person, whatever the file; what is planted in the database is found."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from pipelines.publish.site import publish
from tests.publish_database import small_site
from tests.site_bytes import DECODED, identifying, texts

PLANTED = {
    "e-mail": "marie.durand@courriel.example",
    "phone": "06 12 34 56 78",
    "iban": "FR7630006000011234567890189",
    "siren": "999999995",
}


@pytest.fixture
def project(run_folder: Path, tmp_path: Path) -> Path:
    """A database and the whole site made of it, to change and to publish again."""
    return Path(shutil.copytree(small_site(run_folder)[0], tmp_path / "project"))


def test_nothing_identifies_a_person(run_folder: Path) -> None:
    folder, _ = small_site(run_folder)
    root = folder / "reports"
    assert identifying(root, folder / "public.duckdb", {PLANTED["siren"]}) == []
    assert {Path(name).suffix for name, _ in texts(root)} >= DECODED - {".xlsx"}  # its members are of other kinds


def test_what_is_planted_is_found_in_every_kind_of_file(project: Path) -> None:
    """In the object of an award: in pages, scripts of the search, all the formats of the tables, the standards."""
    database, root = project / "public.duckdb", project / "reports"
    with duckdb.connect(str(database)) as db:
        [award] = db.execute(
            "SELECT application_id FROM awards WHERE amount IS NOT NULL ORDER BY fiscal_year DESC, amount DESC LIMIT 1"
        ).fetchall()
        db.execute("UPDATE awards SET title = ? WHERE application_id = ?", [" ; ".join(PLANTED.values()), *award])
    publish(database, root)
    found = identifying(root, database, {PLANTED["siren"]})
    for kind, value in PLANTED.items():
        names = [name for name, found_kind, found_value in found if found_kind == kind and found_value == value]
        assert {name.rsplit(".", 1)[-1] for name in names} >= {"html", "js", "csv", "xml", "parquet", "json"}, kind


def test_functional_contacts_may_be_read(project: Path, tmp_path: Path) -> None:
    database = project / "public.duckdb"
    with duckdb.connect(str(database)) as db:
        db.execute("UPDATE publication SET correction_address = ?", [PLANTED["e-mail"]])
    publish(database, tmp_path / "site", only={"accueil", "mentions"})
    assert PLANTED["e-mail"] in (tmp_path / "site" / "mentions.html").read_text(encoding="utf-8")
    assert identifying(tmp_path / "site", database) == []
