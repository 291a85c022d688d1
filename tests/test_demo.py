"""The demonstration: same bytes at every run, every case present, nothing that could be a real body."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
import zipfile
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path

import odf.opendocument
import odf.table
import openpyxl
import pytest
import python_calamine
from stdnum import luhn

from pipelines.demo import deposits, directory, funders
from pipelines.demo.applicants import communes, make_applicants
from pipelines.demo.control import ControlFigures, table
from pipelines.demo.layouts import SCDL_LABELS, french_amount
from schemas import codelist
from schemas.funder import load_funder_file

ROOT = Path(__file__).parents[1]
RAW = ROOT / "raw"
FIGURES = deposits.control_figures()
WITH_ERRORS = [row for row in FIGURES if row.rows_rejected]
SIZE_LIMIT = 2_500_000


def content_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.glob("exemple-*/*"))
        if path.is_file() and not path.name.startswith(("_", "."))
    }


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `make demo` writes them: in a process of its own, since odfpy remembers the namespaces it has met."""
    target = tmp_path_factory.mktemp("demo")
    subprocess.run([sys.executable, "-m", "pipelines.demo", "--out", target], cwd=ROOT, check=True, capture_output=True)
    return target


def path_of(row: ControlFigures) -> Path:
    return RAW / row.depositor / row.file


def rows_of(row: ControlFigures) -> list[list[object]]:
    """Every non-blank row of every sheet, the cover sheet left out, read by calamine or as text."""
    path = path_of(row)
    if path.suffix == ".csv":
        return csv_rows(path.read_bytes(), french="cp1252" in row.form)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            return [line for name in archive.namelist() for line in csv_rows(archive.read(name), french=False)]
    book = python_calamine.CalamineWorkbook.from_path(str(path))
    pages = [book.get_sheet_by_name(name).to_python() for name in book.sheet_names if name != "Lisez-moi"]
    return [line for page in pages for line in page if any(cell != "" for cell in line)]


def csv_rows(content: bytes, *, french: bool) -> list[list[object]]:
    text = content.decode("cp1252" if french else "utf-8")
    return [list(line) for line in csv.reader(io.StringIO(text), delimiter=";" if french else ",")]


def identifiers_of(row: ControlFigures) -> list[str]:
    cells = (str(cell) for line in rows_of(row) for cell in line)
    return [cell for cell in cells if cell.isdigit() and len(cell) in (9, 14)]


def test_committed_files_are_what_the_generator_writes(rebuilt: Path) -> None:
    committed, made = content_of(RAW), content_of(rebuilt)
    assert sorted(committed) == sorted(made)
    assert [name for name in made if made[name] != committed[name]] == []


def test_same_bytes_in_another_process(tmp_path: Path, rebuilt: Path) -> None:
    command = [sys.executable, "-m", "pipelines.demo", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    assert content_of(tmp_path) == content_of(rebuilt)
    assert done.stdout == table(FIGURES) + "\n"


def test_sizes() -> None:
    assert sum(map(len, content_of(RAW).values())) < SIZE_LIMIT
    counted = [row for row in FIGURES if row.outcome == "accepted" and row.replaced_by is None]
    assert 3000 <= sum(row.rows_accepted - row.rows_other for row in counted) <= 5000
    assert 230 <= len(make_applicants()) <= 270


def test_every_file_has_its_figures_and_every_folder_its_declaration() -> None:
    listed = {f"{row.depositor}/{row.file}" for row in FIGURES}
    assert listed | {f"{funder.folder}/funder.toml" for funder in funders.FUNDERS} == set(content_of(RAW))
    for funder in funders.FUNDERS:
        declared = load_funder_file(RAW / funder.folder / "funder.toml")
        assert declared.is_demonstration
        assert (declared.siret, declared.level, declared.name) == (funder.siret, funder.level, funder.name)


def test_every_status_and_level_occurs() -> None:
    decisions: Counter[str] = Counter()
    for row in FIGURES:
        decisions.update(row.decisions)
    assert set(decisions) == set(codelist.codes("decision_status"))
    assert {funder.level for funder in funders.FUNDERS} == set(codelist.codes("funder_level"))
    for row in FIGURES:
        assert "pending" not in row.decisions or max(row.lines_by_year) == funders.LAST_YEAR


def test_bodies_are_invented() -> None:
    for name in {funder.name for funder in funders.FUNDERS} | {funder.source_name for funder in funders.FUNDERS}:
        assert "ficti" in name
    ours = [one.siret for one in make_applicants() if one.siret] + [funder.siret for funder in funders.FUNDERS]
    assert len(set(ours)) == len(ours) - 1  # the State has two folders
    for siret in ours:
        assert siret.startswith("99") and luhn.is_valid(siret) and luhn.is_valid(siret[:9])
    assert {commune.departement for commune in communes()} == set(funders.OCCITANIE)


@pytest.mark.parametrize("row", FIGURES, ids=lambda row: f"{row.depositor}/{row.file}")
def test_file_opens_and_holds_its_rows(row: ControlFigures) -> None:
    headers = 1
    if path_of(row).suffix == ".zip":
        with zipfile.ZipFile(path_of(row)) as archive:
            headers = len(archive.namelist())
    elif "annuaire à 2 feuilles" in row.form:
        headers = 2
    elif "plusieurs feuilles" in row.form:
        headers = 2 * 3  # two services; each a header under two lines of banner
    assert len(rows_of(row)) - headers == row.rows_read
    if row.outcome == "accepted":
        assert row.rows_read == row.rows_accepted + row.rows_rejected + row.rows_ignored
    assert sum(row.decisions.values()) == sum(row.lines_by_year.values()) == row.rows_accepted - row.rows_other
    found = identifiers_of(row)
    assert all(number.startswith("99") for number in found)
    wrong = [number for number in found if not luhn.is_valid(number)]
    assert len(wrong) == (1 if row in WITH_ERRORS else 0)


def test_each_form_opens_with_its_own_library() -> None:
    forms = {Path(row.file).suffix for row in FIGURES}
    assert forms == {".xlsx", ".xls", ".ods", ".csv", ".zip"}
    for row in FIGURES:
        if row.file.endswith(".xlsx"):
            book = openpyxl.load_workbook(path_of(row), read_only=True)
            assert book.sheetnames[0] in ("Demandes", "Lisez-moi", "Feuil1", "Services")
            book.close()
        if row.file.endswith(".ods"):
            document = odf.opendocument.load(str(path_of(row)))
            assert len(document.getElementsByType(odf.table.TableRow)) == row.rows_read + 1


def test_amounts_of_a_csv_add_up() -> None:
    for row in FIGURES:
        if row.rows_other or ("csv" not in row.form and "archive" not in row.form):
            continue
        header, *lines = rows_of(row)
        column = header.index(SCDL_LABELS["montant"] if "cp1252" in row.form else "montant")
        cells = [str(line[column]).replace("\u00a0", "").replace(",", ".") for line in lines]
        amounts = [Decimal(cell) for cell in cells if cell and cell != "montant"]
        assert sum(amounts) == row.amounts["awarded"], row.file
    assert french_amount(Decimal("1234.56")) == "1\u00a0234,56"


def test_directories_speak_of_the_funders_own_services() -> None:
    for funder in funders.FUNDERS:
        known = {service.name for service in funder.services}
        schemes = {scheme.name for service in funder.services for scheme in service.schemes}
        calls = {scheme.call for service in funder.services for scheme in service.schemes if scheme.call}
        for line in directory.services(funder.slug):
            assert "ficti" in str(line["service_name"])
            assert line.get("scheme", None) in {*schemes, None}
            assert known & {str(line["service_name"]), str(line.get("service_variants"))} or line.get("valid_to")
        for call in directory.calls(funder.slug):
            assert call["service_name"] in known
            assert str(call["call_id"]).rsplit("-", 1)[0] in calls
    addresses = [str(line["contact_mailbox"]) for funder in funders.FUNDERS for line in directory.services(funder.slug)
                 if line.get("contact_mailbox")]  # fmt: skip
    assert all(address.endswith("@exemple.invalid") for address in addresses)


def test_the_cases_worth_showing_are_there() -> None:
    lines = [(funder, line) for funder in funders.FUNDERS for line in deposits.lines_of(funder)]
    projects: defaultdict[str, set[str]] = defaultdict(set)
    for _, line in lines:
        if line.get("cofunding_id"):
            projects[str(line["cofunding_id"])].add(str(line["decision_status"]))
    assert sum(outcomes == {"awarded", "refused"} for outcomes in projects.values()) >= 10
    agreements = Counter(str(line["agreement_id"]) for _, line in lines if line.get("agreement_id"))
    assert max(agreements.values()) >= 3 and min(agreements.values()) == 1
    assert {"cash", "in_kind", "both"} == {line["aid_form"] for _, line in lines}
    assert {"operating", "project", "investment"} == {line["purpose"] for _, line in lines}
    reasons = Counter(line.get("refusal_reason") for _, line in lines if line["decision_status"] == "refused")
    assert reasons["not_disclosed"] and reasons[None] and len(reasons) > 6
    assert [row.replaced_by for row in FIGURES if row.replaced_by]
    assert [row for row in FIGURES if row.outcome == "held"]
    assert [row.rows_rejected for row in WITH_ERRORS] == [5]
    assert all(row.rows_rejected <= 0.2 * row.rows_read for row in WITH_ERRORS)


def test_refusals_are_often_publishable_and_sometimes_not() -> None:
    cells: defaultdict[tuple[str, object], Counter[str]] = defaultdict(Counter)
    for funder in funders.FUNDERS:
        for line in deposits.lines_of(funder):
            cells[str(line["service_name"]), line["fiscal_year"]][str(line["decision_status"])] += 1
    shown = [count for count in cells.values()
             if 5 <= count["refused"] <= count["awarded"] + count["refused"] - 5 >= 5]  # fmt: skip
    hidden = [count for count in cells.values() if 0 < count["refused"] < 5]
    assert len(shown) >= 60
    assert len(hidden) >= 20


def test_one_funder_never_awards_one_sum_twice_across_two_folders() -> None:
    """The State's two folders must not look like the same award reported twice."""
    folders: defaultdict[tuple[object, ...], set[str]] = defaultdict(set)
    for funder in (funders.DREETS, funders.DDETS):
        for line in deposits.lines_of(funder):
            if line["decision_status"] == "awarded" and line["amount_awarded"] is not None:
                folders[line["applicant_name"], line["fiscal_year"], line["amount_awarded"]].add(funder.slug)
    assert all(len(found) == 1 for found in folders.values())


def test_the_pipeline_does_not_import_the_demonstration() -> None:
    elsewhere = [path for path in (ROOT / "pipelines").rglob("*.py") if "demo" not in path.parts]
    assert [path.name for path in elsewhere if "pipelines.demo" in path.read_text(encoding="utf-8")] == []
