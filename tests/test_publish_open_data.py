"""Open data: every table in every format, the same numbers in each, described truly, each licence in its own files."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
import json
import re
import zipfile
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import openpyxl
import polars as pl
import pytest
from frictionless import Package

from pipelines.publish import comma_separated, sheet_rows, workbooks
from pipelines.publish.context import Context
from pipelines.publish.database import PublicDatabase
from pipelines.publish.licensing import Licensing
from pipelines.publish.pages import changes, downloads, legal
from pipelines.publish.script_json import script_json
from pipelines.workbook_file import workbook_bytes
from schemas.licence import kind_of, licences, recognised
from tests.publish_database import AS_OF, FORMULA, NASTY, RTL, SHARE_ALIKE, build, site

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="session")
def root(run_folder: Path) -> Path:
    return site(run_folder)


@pytest.fixture(scope="session")
def described(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((root / "data/datapackage.json").read_text(encoding="utf-8"))
    return found


def _lines(path: Path, **options: Any) -> list[dict[str, str]]:
    with path.open(encoding=options.pop("encoding", "utf-8"), newline="") as file:
        return list(csv.DictReader(file, **options))


def test_every_table_is_whole_in_every_format(root: Path) -> None:
    """The parts of a table, one licence each, hold all its lines; CSV, twin, workbook and Parquet have the same."""
    with PublicDatabase(root.parent / "public.duckdb") as database:
        for table in database.tables():
            frame = database.typed(f'SELECT * FROM "{table}"')
            total = 0
            for folder in ("", "odbl/", "autres-licences/"):
                path = root / f"data/{folder}{table}.csv"
                if not path.exists():
                    assert folder
                    continue
                lines = _lines(path)
                twin = _lines(path.with_name(f"{table}-excel.csv"), encoding="utf-8-sig", delimiter=";")
                parquet = pl.read_parquet(path.with_suffix(".parquet"))
                book = openpyxl.load_workbook(path.with_suffix(".xlsx"), read_only=True)
                n_cells = sum(1 for _ in book.worksheets[0].iter_rows(values_only=True))
                assert len(lines) == len(twin) == parquet.height == n_cells - 1, path
                assert parquet.columns == frame.columns
                total += len(lines)
                book.close()
            assert total == frame.height, table


def test_workbook_keeps_codes_types_and_says_what_it_is(root: Path) -> None:
    book = openpyxl.load_workbook(root / "data/awards.xlsx")
    data, words, about = book.worksheets
    header = [cell.value for cell in data[1]]
    first = dict(zip(header, data[2], strict=True))
    assert isinstance(first["beneficiary_siren"].value, str)
    assert isinstance(first["fiscal_year"].value, int)
    assert isinstance(first["decided_date"].value, dt.datetime)
    assert [row[0].value for row in words.iter_rows(min_row=2)] == header
    said = {row[0].value: row[1].value for row in about.iter_rows(min_row=2)}
    assert said["Licence"] == "Licence Ouverte 2.0"
    assert said["État des données"] == "12\u00a0mars 2026"
    names = [cell.value for cell in data[chr(ord("A") + header.index("beneficiary_name"))][1:]]
    assert f"'{FORMULA}" in names
    assert all(cell.data_type != "f" for row in data.iter_rows() for cell in row)


def test_workbooks_hold_any_text_and_no_present() -> None:
    frame = pl.DataFrame({
        "texte": ["\x01\x00=1+1", "\t=2", RTL, NASTY, "x" * 40_000, None],
        "montant": [Decimal("-1.50"), Decimal("2"), None, Decimal("3"), Decimal("4"), Decimal("5")],
    })  # fmt: skip
    said = {
        "name": "essai",
        "columns": [["texte", "Texte", "Un texte.", ""]],
        "about": [("Licence", "LO")],
        "day": AS_OF,
    }
    content = workbooks.to_bytes(frame, **said)
    assert content == workbooks.to_bytes(frame, **said)
    sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
    texts = [row[0] for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert texts == ["'=1+1", "'\t=2", RTL, NASTY, "x" * 32_767, None]
    assert all(cell.data_type != "f" for row in sheet.iter_rows() for cell in row)
    assert sheet["B2"].value == -1.5
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert {entry.date_time[:3] for entry in archive.infolist()} == {(AS_OF.year, AS_OF.month, AS_OF.day)}


def test_rows_of_a_sheet_are_those_that_the_library_writes() -> None:
    """Byte for byte, styles of dates included, for every type that a public table may have."""
    frame = pl.DataFrame(
        {
            "texte": ["a<&>b\"'", " x ", "", " ", "é\n l", None],
            "entier": [1, None, 123456789012345678, 0, -5, None],
            "nombre": [1.5, 0.1 + 0.2, None, 1e22, -0.0, None],
            "montant": [Decimal("12.50"), None, Decimal("1234567890123.45"), Decimal("0.00"), None, None],
            "vrai": [True, False, None, True, None, None],
            "jour": [dt.date(2026, 1, 3), None, None, dt.date(1899, 12, 31), None, None],
            "instant": [None, dt.datetime(2026, 1, 3, 12, 30, 5), None, None, None, None],
        },
        schema_overrides={"montant": pl.Decimal(18, 2)},
    )
    theirs, ours = openpyxl.Workbook(write_only=True), openpyxl.Workbook(write_only=True)
    for book in (theirs, ours):
        book.create_sheet("essai").append(frame.columns)
    for row in frame.iter_rows():
        theirs.worksheets[0].append(row)
    lines = sheet_rows.rows(ours.worksheets[0], frame, first=2)
    assert workbook_bytes(ours, lines=lines) == workbook_bytes(theirs)


def test_twins_say_the_same_numbers(root: Path, described: dict[str, Any]) -> None:
    """Decimal commas, semicolons, byte order mark; each number read back is the one of the plain file."""
    resources = {resource["name"]: resource for resource in described["resources"]}
    content = (root / "data/awards-excel.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    plain = _lines(root / "data/awards.csv")
    twin = _lines(root / "data/awards-excel.csv", encoding="utf-8-sig", delimiter=";")
    assert [row["amount"].replace(",", ".") for row in twin] == [row["amount"] for row in plain]
    assert not any("." in row["amount"] for row in twin)
    assert {row["eu_notification"] for row in twin} == {"FAUX", ""}
    fields = {field["name"]: field for field in resources["awards-excel"]["schema"]["fields"]}
    assert fields["amount"]["decimalChar"] == ","
    assert resources["awards-excel"]["dialect"]["delimiter"] == ";"


def test_no_cell_of_a_text_file_is_run_by_a_spreadsheet(root: Path) -> None:
    numbers = re.compile(r"^-?\d+([.,]\d+)?([eE][+-]?\d+)?$")
    for path in sorted((root / "data").rglob("*.csv")):
        options = {"encoding": "utf-8-sig", "delimiter": ";"} if path.stem.endswith("-excel") else {}
        for row in _lines(path, **options):
            for cell in row.values():
                assert not cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) or numbers.match(cell), (path, cell)


def test_the_package_is_valid_and_every_file_conforms(root: Path, described: dict[str, Any]) -> None:
    found = Package.from_descriptor(described, basepath=str(root / "data")).validate()
    assert found.valid, [(task.name, error.note) for task in found.tasks for error in task.errors][:5]
    names = [resource["name"] for resource in described["resources"]]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z0-9._-]+", name) for name in names)
    tabular = [resource for resource in described["resources"] if resource.get("profile") == "tabular-data-resource"]
    assert len(tabular) > 100


def test_the_package_sees_a_line_that_does_not_conform(root: Path, described: dict[str, Any], tmp_path: Path) -> None:
    """The validation of the test above is not blind: a wrong theme, a repeated key, a funder that is not listed."""
    chosen = {"awards", "funders", "services"}
    resources = [dict(resource) for resource in described["resources"] if resource["name"] in chosen]
    for resource in resources:
        lines = (root / "data" / resource["path"]).read_text(encoding="utf-8").replace(",food_aid,", ",nourriture,")
        (tmp_path / resource["path"]).write_text(lines + lines.splitlines()[-1] + "\r\n", encoding="utf-8", newline="")
        del resource["bytes"], resource["hash"]
    found = Package.from_descriptor({"name": "x", "resources": resources}, basepath=str(tmp_path)).validate()
    kinds = {error.type for task in found.tasks for error in task.errors}
    assert {"constraint-error", "primary-key"} <= kinds


def test_schemas_come_from_the_contracts(described: dict[str, Any]) -> None:
    [awards] = [resource for resource in described["resources"] if resource["name"] == "awards"]
    fields = {field["name"]: field for field in awards["schema"]["fields"]}
    assert "food_aid" in fields["theme"]["constraints"]["enum"]
    assert fields["currency"]["constraints"] == {"required": True, "pattern": "^[A-Z]{3}$"}
    assert fields["decision_reference"]["scdl"] == "referenceDecision"
    assert fields["decided_date"]["type"] == "date"
    assert awards["schema"]["primaryKey"] == ["application_id", "organisation_id", "stage", "currency"]


def test_sums_and_sizes_are_true(root: Path, described: dict[str, Any]) -> None:
    listed = dict(
        reversed(line.split("  ", 1))
        for line in (root / "data/SHA256SUMS.txt").read_text(encoding="utf-8").splitlines()
    )
    for path, digest in listed.items():
        assert hashlib.sha256((root / "data" / path).read_bytes()).hexdigest() == digest, path
    for resource in described["resources"]:
        content = (root / "data" / resource["path"]).read_bytes()
        assert resource["bytes"] == len(content)
        assert resource["hash"] == f"sha256:{listed[resource['path']]}"
    page = (root / "dictionnaire/awards.html").read_text(encoding="utf-8")
    assert all(listed[f"awards{ending}"] in page for ending in (".csv", "-excel.csv", ".xlsx", ".parquet"))


@pytest.mark.parametrize(
    ("stated", "kind"),
    [
        ("Licence Ouverte 2.0", "attribution"), ("lov2", "attribution"), ("fr-lo", "attribution"),
        ("Licence Ouverte / Open Licence version 2.0", "attribution"), ("CC BY 4.0", "attribution"),
        (None, "attribution"), (" ", "attribution"), ("ODbL", "share_alike"),
        ("Open Data Commons Open Database License (ODbL)", "share_alike"),
        ("Licence Ouverte 2.0, ODbL 1.0", "share_alike"), ("CC-BY-SA 4.0", "apart"), ("CC BY-NC", "apart"),
        ("Conditions particulières", "apart"),
    ],
)  # fmt: skip
def test_licences_are_known_by_their_words(stated: str | None, kind: str) -> None:
    assert kind_of(stated) == kind


def test_every_known_licence_is_met_by_its_own_title() -> None:
    for name in ("odbl", "lov2", "cc_by", "public_domain"):
        assert recognised(licences()[name].title) == licences()[name]


def test_licences_are_kept_apart(root: Path, described: dict[str, Any]) -> None:
    """What comes from the funder under ODbL is in its own files, which say so; the main files hold none of it."""
    main, apart = _lines(root / "data/awards.csv"), _lines(root / "data/odbl/awards.csv")
    assert {row["funder_id"] for row in apart} == {SHARE_ALIKE}
    assert SHARE_ALIKE not in {row["funder_id"] for row in main}
    assert {row["funder_id"] for row in _lines(root / "data/odbl/funding_by_funder_year.csv")} == {SHARE_ALIKE}
    resources = {resource["name"]: resource for resource in described["resources"]}
    licence = {name: [each["name"] for each in resource["licenses"]] for name, resource in resources.items()}
    assert licence["awards"] == licence["dictionary"] == ["etalab-2.0"]
    assert licence["awards-odbl"] == licence["awards-odbl-parquet"] == ["ODbL-1.0"]
    # made from all sources at once: a database derived from the one under ODbL
    assert licence["funding_by_theme_year"] == licence["beneficiaries"] == ["ODbL-1.0"]
    assert not (root / "data/odbl/funding_by_theme_year.csv").exists()


def test_pages_name_the_sources_that_ask_for_it(root: Path) -> None:
    def foot(name: str) -> str:
        text = (root / name).read_text(encoding="utf-8").partition("<footer>")[2]
        return re.sub(r"\s+", " ", text)

    said = "Commune de Sainte-Croix-d’Exemple (ODbL 1.0, mise à jour du 1er janvier 2026)"
    assert "Données : Licence Ouverte 2.0." in foot("financeurs/metropole-du-midi.html")
    assert f"ODbL 1.0 de {said}" in foot("financeurs/commune-de-sainte-croix-d-exemple.html")
    assert f"mêlent des données sous Licence Ouverte 2.0 à des données de {said}" in foot("refus.html")
    legal = (root / "mentions.html").read_text(encoding="utf-8")
    assert "opendatacommons.org/licenses/odbl" in legal
    assert "Commune de Sainte-Croix-d&#39;Exemple, mise à jour du 1er\u00a0janvier 2026" in legal


@pytest.fixture(scope="session")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data pages of another database: a licence nobody knows, one not stated, an address, no former publication.

    Workbooks stop at a hundred lines.
    """
    folder = tmp_path_factory.mktemp("other")
    database = build(folder / "public.duckdb", size=20)
    with duckdb.connect(str(database)) as db:
        for table in ("awards", "funders", "sources"):
            db.execute(f"UPDATE {table} SET licence = 'Conditions <maison>' WHERE funder_id = '130000003'")
            db.execute(f"UPDATE {table} SET licence = NULL WHERE funder_id = '{SHARE_ALIKE}'")
        db.execute("UPDATE publication SET site_url = 'https://exemple.invalid/'")
        db.execute("DELETE FROM changes_by_table; DELETE FROM changes_by_funder")
    with pytest.MonkeyPatch.context() as patched, PublicDatabase(database) as opened:
        patched.setattr(workbooks, "MOST_LINES", 100)
        patched.setattr(comma_separated, "MOST_FOR_EXCEL", 300)
        context = Context(opened)
        for report in (downloads.REPORT, legal.REPORT, changes.REPORT):
            for output in report.build(context):
                path = folder / output.path
                path.parent.mkdir(parents=True, exist_ok=True)
                output.into(path)
    return folder


def test_a_licence_nobody_knows_goes_apart_and_keeps_its_words(other: Path) -> None:
    apart = _lines(other / "data/autres-licences/awards.csv")
    assert {row["funder_id"] for row in apart} == {"130000003"}
    described = json.loads((other / "data/datapackage.json").read_text(encoding="utf-8"))
    resources = {resource["name"]: resource for resource in described["resources"]}
    assert resources["awards-autres-licences"]["licenses"] == [{"name": "other", "title": "Conditions <maison>"}]
    assert [each["title"] for each in resources["beneficiaries"]["licenses"]] == [
        "Licence Ouverte 2.0", "Conditions <maison>",
    ]  # fmt: skip
    page = (other / "mentions.html").read_text(encoding="utf-8")
    assert "licence non indiquée" in page
    assert "L321-1" in page
    assert "Conditions &lt;maison&gt;" in page


def test_one_licence_makes_one_set_of_files(tmp_path: Path) -> None:
    database = build(tmp_path / "public.duckdb", size=20)
    with duckdb.connect(str(database)) as db:
        for table in ("awards", "funders", "sources"):
            db.execute(f"UPDATE {table} SET licence = 'Licence Ouverte 2.0'")
    with PublicDatabase(database) as opened:
        licensing = Licensing(opened)
        assert licensing.is_simple
        assert all(len(licensing.parts(table)) == 1 for table in opened.tables())
        assert licensing.words() == "Données : Licence Ouverte 2.0."


def test_dcat_is_json_that_leads_to_the_files(root: Path) -> None:
    def embedded(name: str) -> dict[str, Any]:
        text = (root / name).read_text(encoding="utf-8")
        [found] = re.findall(r'<script type="application/ld\+json">(.*?)</script>', text, re.DOTALL)
        read: dict[str, Any] = json.loads(found)
        return read

    catalogue = embedded("donnees.html")
    assert catalogue["@type"] == "dcat:Catalog"
    assert {entry["@id"] for entry in catalogue["dcat:dataset"]} == {
        f"dictionnaire/{path.name}" for path in (root / "dictionnaire").glob("*.html")
    }
    dataset = embedded("dictionnaire/awards.html")
    assert dataset["@type"] == "dcat:Dataset"
    assert dataset["dct:modified"]["@value"] == "2026-03-12"
    for distribution in dataset["dcat:distribution"]:
        target = (root / "dictionnaire" / distribution["dcat:downloadURL"]["@id"]).resolve()
        content = target.read_bytes()
        assert distribution["dcat:byteSize"]["@value"] == str(len(content))
        assert distribution["spdx:checksum"]["spdx:checksumValue"]["@value"] == hashlib.sha256(content).hexdigest()
    assert len(dataset["dcat:distribution"]) == 8


def test_json_in_a_page_ends_no_element() -> None:
    nasty = "</script><!-- & \u2028\u2029"
    written = script_json({"a": nasty})
    assert not set("<>&\u2028\u2029") & set(written)
    assert json.loads(written) == {"a": nasty}


def test_large_tables_have_no_workbook_and_the_page_says_so(other: Path) -> None:
    assert not (other / "data/awards.xlsx").exists()
    assert (other / "data/funders.xlsx").exists()
    page = (other / "donnees.html").read_text(encoding="utf-8")
    assert "pas de XLSX, prenez le CSV ou le Parquet" in page
    too_long = [path.stem for path in sorted((other / "data").glob("*.csv")) if len(_lines(path)) > 300]
    assert "awards" in too_long
    for name in too_long:
        assert not (other / f"data/{name}-excel.csv").exists()
        assert "Excel en couperait" in (other / f"dictionnaire/{name}.html").read_text(encoding="utf-8")


def test_an_address_of_the_site_makes_addresses_whole(other: Path) -> None:
    page = (other / "dictionnaire/funders.html").read_text(encoding="utf-8")
    assert '"@id": "https://exemple.invalid/data/funders.csv"' in page
    described = json.loads((other / "data/datapackage.json").read_text(encoding="utf-8"))
    assert described["homepage"] == "https://exemple.invalid/"


def test_changes_are_said_to_people_and_machines(root: Path) -> None:
    told = json.loads((root / "data/changelog.json").read_text(encoding="utf-8"))["publications"]
    assert [each["publication"] for each in told] == [3, 2]
    assert told[0]["as_of"] == "2026-03-12"
    assert told[0]["tables"][0] == {
        "table_name": "awards", "n_rows_before": 900, "n_rows_after": 905, "n_added": 10, "n_removed": 5,
        "n_changed": 3,
    }  # fmt: skip
    assert len(told[0]["funders"]) == 3
    assert {row["amount_added"] for row in told[0]["funders"]} == {"1000.50"}
    page = (root / "changements.html").read_text(encoding="utf-8")
    for words in ("12\u00a0mars 2026", "1\u202f000,50\u00a0€", "−3\u00a0€", "table supprimée", "MSA Grand Plateau"):
        assert words in page, words
    assert "changements.html" in (root / "index.html").read_text(encoding="utf-8")
    assert {row["funder_id"] for row in _lines(root / "data/odbl/changes_by_funder.csv")} == {SHARE_ALIKE}


def test_a_first_publication_says_that_there_is_nothing_to_compare(other: Path) -> None:
    assert "première publication" in (other / "changements.html").read_text(encoding="utf-8")
    assert json.loads((other / "data/changelog.json").read_text(encoding="utf-8")) == {"publications": []}
