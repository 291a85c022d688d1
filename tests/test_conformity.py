"""The legal format: the verdict names the cells that the reference validator names, and the clean CSV passes it.

The reference is `frictionless` with the official schema and its two custom rules (`reference_validator`).
"""

from __future__ import annotations

import csv
import io
import json
import random
from datetime import date
from typing import TYPE_CHECKING, Any

import openpyxl
import pandera.errors
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.ingest.check import check_file
from pipelines.ingest.conformity import COLUMNS, clean_csv, file_conformity, official_letters, verdict
from pipelines.ingest.inbox import ingest
from pipelines.ingest.normalise import Origin
from pipelines.ingest.read import read_file
from pipelines.ingest.receipt import legal_name, receipt_name, render
from pipelines.ingest.recognise import Header, find_header
from pipelines.ingest.report import Report
from pipelines.ingest.staged import scan_accepted
from schemas.contract import describe
from schemas.format import load_formats
from schemas.funder import FunderFile
from schemas.scdl import REQUIRED, Scdl, words

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pipelines.ingest.outcome import Outcome

frictionless = pytest.importorskip("frictionless", reason="the reference validator is not installed (dev extra)")

_DAY = date(2026, 3, 12)
Cells = set[tuple[int, str | None]]
Table = list[list[str]]

DIFFERENCES = [
    ("montant", "1_000", "Python's Decimal takes underscores; Table Schema does not"),
    ("montant", "１２３", "Python's Decimal takes any Unicode digit; Table Schema wants ASCII"),
    ("pourcentageSubvention", "0_1", "the same"),
    ("idAttribuant", "21060004500392\n", "Python's $ stops before a final line break"),
    ("rnaBeneficiaire", "W333216789\n", "the same"),
    ("idBeneficiaire", "２106000450039２", "python-stdnum takes full-width digits; a SIRET is written in ASCII"),
    ("dateConvention", "0000-01-01", None),
]
"""Cells that the reference takes and we name, with the validator's fault (None: no difference)."""


@pytest.fixture(scope="session")
def scdl_files(real_files: Path) -> Path:
    return real_files / "scdl"


@pytest.fixture(scope="session")
def official(scdl_files: Path) -> dict[str, Any]:
    return json.loads((scdl_files / "schema-2.1.1.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def valid(scdl_files: Path) -> Table:
    return list(csv.reader(io.StringIO((scdl_files / "exemple_valide.csv").read_text(encoding="utf-8"))))


@pytest.fixture(scope="session")
def reference(official: dict[str, Any]) -> Callable[..., Cells]:
    """Rows and columns that the reference validator names; `by_name` finds columns by name, as the platform does."""
    from tests.reference_validator import validated  # what the dev extra brings

    def named(content: bytes, *, by_name: bool = False) -> Cells:
        schema = frictionless.Schema.from_descriptor(official)
        if by_name:
            schema.fields_match = "partial"
        resource = frictionless.Resource(
            content,
            format="csv",
            encoding="utf-8",
            schema=schema,
        )
        report = validated(resource)
        errors = [error for task in report.tasks for error in task.errors]
        assert not report.errors
        return {(e.row_number, getattr(e, "field_name", None) or None) for e in errors if hasattr(e, "row_number")}

    return named


def written(table: Table) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(table)
    return text.getvalue().encode()


def header_of(content: bytes) -> Header:
    [member] = read_file(content, name="f.csv").members
    header = find_header(member.sheets[0], load_formats())
    assert header is not None
    return header


def ours(content: bytes) -> Cells:
    return set(verdict(header_of(content)).select("row", "column").iter_rows())


def checked(content: bytes, *, name: str = "f.csv") -> Outcome:
    return check_file(content, Origin("d", "dossier", name, FunderFile()))


# The declaration


def test_the_model_says_what_the_official_schema_says(official: dict[str, Any]) -> None:
    assert list(COLUMNS) == [field["name"] for field in official["fields"]]
    required = [f["name"] for f in official["fields"] if f.get("constraints", {}).get("required")]
    assert list(REQUIRED) == required
    rules = {name: {check.name for check in column.checks} for name, column in Scdl.to_schema().columns.items()}
    for field in official["fields"]:
        asked = field.get("constraints", {})
        given_rules = rules[field["name"]]
        assert ("maxLength" in asked) == bool(given_rules & {"scdl_too_long", "scdl_rae_too_long"})
        assert ("enum" in asked) == ("scdl_nature" in given_rules)
        assert ("pattern" in asked) == bool(given_rules & {"scdl_siret_digits", "scdl_rna", "scdl_period"})
        assert (field["type"] == "number") == ("scdl_number" in given_rules)
        assert (field["type"] == "date") == ("scdl_date" in given_rules)
        assert (field["type"] == "boolean") == ("scdl_yes_no" in given_rules)


def test_every_rule_has_its_words_and_every_column_its_title() -> None:
    schema = Scdl.to_schema()
    rules = {check.name for column in schema.columns.values() for check in column.checks}
    rules |= {check.name for check in schema.checks}
    assert rules | {"scdl_blank_row", "scdl_row_length"} == set(words())
    assert all(info.title != name and info.scdl == name for name, info in describe(Scdl).items())


# The verdict


def test_the_valid_example_conforms(scdl_files: Path, reference: Callable[..., Cells]) -> None:
    content = (scdl_files / "exemple_valide.csv").read_bytes()
    assert ours(content) == reference(content) == set()
    assert file_conformity(header_of(content)).conforms


def test_the_example_with_wrong_cells(scdl_files: Path, reference: Callable[..., Cells]) -> None:
    content = (scdl_files / "exemple_invalide_erreurs_cellules.csv").read_bytes()
    assert ours(content) == reference(content)
    found = file_conformity(header_of(content))
    assert (found.missing, found.is_in_order, found.rows_wrong) == (["dispositifAide"], True, 29)


def test_the_example_with_wrong_columns(scdl_files: Path, reference: Callable[..., Cells]) -> None:
    content = (scdl_files / "exemple_invalide_erreurs_colonnes.csv").read_bytes()
    assert ours(content) == reference(content, by_name=True) == reference(content)
    found = file_conformity(header_of(content))
    assert found.missing == ["nomBeneficiaire", "dispositifAide"]
    assert (found.is_in_order, found.unknown) == (False, ["NOM_Beneficiaire"])


def test_the_example_with_a_column_twice(scdl_files: Path, reference: Callable[..., Cells]) -> None:
    # By name the reference stops at a repeated title, by rank it reads all that follows one column off. Without the
    # second of the two columns it names what we name.
    content = (scdl_files / "exemple-duplicate-column.csv").read_bytes()
    text = content.decode("utf-8", errors="replace")
    table = list(csv.reader(io.StringIO(text)))
    second = len(table[0]) - 1 - table[0][::-1].index("notificationUE")
    once = written([row[:second] + row[second + 1 :] for row in table])
    assert ours(text.encode()) == reference(once, by_name=True)
    assert file_conformity(header_of(content)).repeated == ["notificationUE"]


_ANY = ["", " ", "x", "?", "é", "a\nb", '"', "'", ",", ";", "0", "-1", "NULL", "=1+1", "  oui", "\u00a0"]
_NUMBERS = ["12,5", "1 000", "1000.", ".5", "-3", "+4", "1e3", "1E-2", "1.000,5", "12 €", "NaN", "inf", "-Infinity",
            "0x1F", "1,000.00", " 12 ", "--1", "1.2.3", "12345678901234567890.12", "0", "0.01", "0.009", "1", "1.01",
            "1.0000001", "0.00999999", "100", "0.5%", "nan1", "e5", "."]  # fmt: skip
_DATES = ["2017-02-29", "2016-02-29", "2017-2-3", "2017-02-30", "05/12/2016", "2017/02/03", "2017-13-01", "2017-00-10",
          "20170203", "2017-02-03T00:00:00", "2017-02-03 00:00:00", "17-02-03", "0001-01-01", "2017-02",
          " 2017-02-03", "2017-02-03 ", "2017-04-31", "9999-12-31", "42779", "2017-02-00", "2017-1-31"]  # fmt: skip
_SIRETS = ["21060004500392", "21060004500393", "210600045", "210 600 045 00392", "21060004500392.0", "2.10600045E+13",
           "00000000000000", "35600000000048", "35600000012345", "35600000000049", "35600000000001", "356000000 00001",
           "2106000450039", "210600045003922", "O1060004500392", "21860194600000", "210.600.045.00392",
           "2106\u00a00004500392", "38033590100027 "]  # fmt: skip
_MUTATIONS: dict[str, list[str]] = {
    "idAttribuant": _SIRETS,
    "idBeneficiaire": _SIRETS,
    "dateConvention": _DATES,
    "rnaBeneficiaire": ["W123456789", "w123456789", "W12345678", "W1234567890", "W2A1234567", " W123456789", "123456"],
    "objet": ["x" * 256, "x" * 257, "é" * 256, "é" * 257, "😀" * 256, "😀" * 257],
    "conditionsVersement": ["échelonné", "y" * 256, "y" * 257],
    "montant": _NUMBERS,
    "pourcentageSubvention": _NUMBERS,
    "nature": ["aide en nature", "Aide en nature", "aide en nature;aide en numéraire", "aide en numeraire", "numéraire",
               "aide en numéraire; aide en nature", "aide en numéraire "],
    "datesPeriodeVersement": [*_DATES, "2017-01-01/2017-12-31", "2017-01-01_2017-12-31", "2017-01-01/", "2017-30-05",
                              "2017-01-01 / 2017-12-31", "2017-01-01/2017-1-2"],
    "idRAE": ["12345", "123456", "sans objet", "éééééé"],
    "notificationUE": ["oui", "non", "Oui", "NON", "true", "1", "yes", " non"],
    "dispositifAide": ["65d5b6c7", "z" * 300],
}  # fmt: skip


def mutated(valid: Table, rng: random.Random) -> tuple[Table, bool]:
    """The valid table with one to six cells changed, sometimes a row or a column; True when columns go by name."""
    head, *body = [list(row) for row in valid[:1] + rng.sample(valid[1:], 8)]
    for _ in range(rng.randint(1, 6)):
        row, column = rng.randrange(len(body)), rng.randrange(len(head))
        cell = body[row][column]
        shape = rng.random()
        if shape < 0.6:
            body[row][column] = rng.choice([*_MUTATIONS.get(head[column], []), *rng.sample(_ANY, 2)])
        elif shape < 0.8:
            body[row][column] = rng.choice(_ANY)
        elif shape < 0.9:
            body[row][column] = rng.choice(
                [" " + cell, cell + " ", cell.upper(), cell * 2, cell[:-1], cell.replace("0", "O")]
            )
        else:
            other = rng.randrange(len(head))
            body[row][column], body[row][other] = body[row][other], cell
    structure = rng.random()
    if structure < 0.05:
        body[rng.randrange(len(body))] = [""] * len(head)
    elif structure < 0.10:
        place = rng.randrange(len(body))
        body[place] = body[place][: rng.randint(9, len(head) - 1)]
    elif structure < 0.15:
        body[rng.randrange(len(body))].append("de trop")
    elif structure < 0.20:
        gone = rng.randrange(len(head))
        if head[gone] not in ("nomAttribuant", "nomBeneficiaire", "montant"):
            return [row[:gone] + row[gone + 1 :] for row in [head, *body]], True
    elif structure < 0.25:
        order = rng.sample(range(len(head)), len(head))
        return [[row[place] for place in order] for row in [head, *body]], True
    return [head, *body], False


def compare(valid: Table, reference: Callable[..., Cells], *, seed: int, files: int) -> None:
    rng = random.Random(seed)
    for rank in range(files):
        table, by_name = mutated(valid, rng)
        content = written(table)
        assert ours(content) == reference(content, by_name=by_name), (seed, rank, table)
        if rank % 30 == 0:
            clean, _ = clean_csv(checked(content).accepted)
            assert reference(clean) == set(), (seed, rank, clean.decode())


def test_mutations_of_the_valid_example(valid: Table, reference: Callable[..., Cells]) -> None:
    compare(valid, reference, seed=1, files=300)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(2, 12))
def test_more_mutations_of_the_valid_example(valid: Table, reference: Callable[..., Cells], seed: int) -> None:
    compare(valid, reference, seed=seed, files=500)


@pytest.mark.parametrize(("column", "text", "fault"), DIFFERENCES, ids=lambda value: repr(value)[:20])
def test_where_the_reference_is_wrong(
    valid: Table, reference: Callable[..., Cells], column: str, text: str, fault: str | None
) -> None:
    head, first, second = [list(row) for row in valid[:3]]
    first[head.index(column)] = text
    content = written([head, first, second])
    assert ours(content) - reference(content) == ({(2, column)} if fault else set())
    assert reference(content) <= ours(content)


def test_the_date_cells_of_a_workbook_are_dates(valid: Table) -> None:
    book = openpyxl.Workbook()
    day = valid[0].index("dateConvention")
    for row in valid:
        book.active.append([cell or None for cell in row])
    for row in book.active.iter_rows(min_row=2):
        row[day].value = date.fromisoformat(row[day].value)
    content = io.BytesIO()
    book.save(content)
    assert file_conformity(header_of(content.getvalue())).conforms


def test_a_file_with_other_titles_is_not_looked_at(valid: Table) -> None:
    long = {name: info.title for name, info in describe(Scdl).items()}
    content = written([[long[name] for name in valid[0]], *valid[1:]])
    header = header_of(content)
    assert official_letters(header) == {}
    found = file_conformity(header)
    assert (found.is_official, found.conforms) == (False, False)


# The clean CSV


def test_the_clean_csv_of_the_valid_example_is_the_example(valid: Table, reference: Callable[..., Cells]) -> None:
    content, lacking = clean_csv(checked(written(valid)).accepted)
    assert reference(content) == set()
    again = list(csv.reader(io.StringIO(content.decode())))
    assert again[0] == list(COLUMNS)
    assert len(again) + lacking["row"].n_unique() == len(valid)
    amount = COLUMNS.index("montant")
    assert [float(row[amount]) for row in again[1:]] == [float(row[amount]) for row in valid[1:]]
    assert checked(content).report.amounts == checked(written(valid)).report.amounts


def test_what_the_others_lack_is_listed(valid: Table) -> None:
    head, *body = [list(row) for row in valid[:4]]
    body[0][head.index("objet")] = "x" * 257
    body[1][head.index("dateConvention")] = "2016"
    body[1][head.index("pourcentageSubvention")] = "45"
    content, lacking = clean_csv(checked(written([head, *body])).accepted)
    assert len(content.decode().splitlines()) == 2
    assert lacking.select("row", "title", "rule").rows() == [
        (3, "Date de la convention de subvention", "scdl_required"),
        (2, "Objet de la subvention", "scdl_too_long"),
        (3, "Part du montant attribuée au bénéficiaire", "scdl_required"),
    ]


def test_persons_loans_and_refusals_are_left_out(valid: Table) -> None:
    head, *body = [list(row) for row in valid[:4]]
    body[0][head.index("nomBeneficiaire")] = "Mme Jeanne Martin"
    body[0][head.index("idBeneficiaire")] = ""
    body[0][head.index("rnaBeneficiaire")] = ""
    body[1][head.index("montant")] = ""
    table = [[*head, "Montant du prêt"], [*body[0], ""], [*body[1], "5000"], [*body[2], ""]]
    outcome = checked(written(table))
    content, _ = clean_csv(outcome.accepted)
    assert "Martin" not in content.decode()
    assert len(content.decode().splitlines()) == 2
    awards = outcome.report.legal_awards
    assert awards is not None
    assert (awards.awards, awards.conforming) == (1, 1)
    assert sum(awards.left_out.values()) == 2
    assert awards.left_out["loan"] == 1
    refused = outcome.accepted.with_columns(pl.lit("refused").alias("decision_status"))
    assert clean_csv(refused)[0].decode().splitlines() == [",".join(COLUMNS)]


def test_an_overseas_rna_does_not_keep_an_award_out(valid: Table, reference: Callable[..., Cells]) -> None:
    outcome = checked(written(valid[:3]))
    overseas = outcome.accepted.with_columns(pl.lit("W9R1000123").alias("applicant_rna"))
    content, lacking = clean_csv(overseas)
    assert "W9R" not in content.decode()
    with_siret = overseas["applicant_siret"].is_not_null()
    assert len(content.decode().splitlines()) == 1 + with_siret.sum()
    assert lacking["rule"].to_list() == ["scdl_rna"] * int((~with_siret).sum())
    assert reference(content) == set()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(
        st.tuples(
            st.text(alphabet="abé ,;'\"\n=+-@|\t/«»", min_size=1, max_size=40),
            st.text(alphabet="aé ,;'\"=+-@", min_size=1, max_size=20),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_any_words_pass_the_reference_and_come_back(
    valid: Table, reference: Callable[..., Cells], texts: list[tuple[str, str]]
) -> None:
    accepted = checked(written(valid)).accepted
    accepted = accepted.filter(pl.int_range(pl.len()) < len(texts))
    given_texts = pl.DataFrame(texts[: accepted.height], schema=["title", "decision_reference"], orient="row")
    accepted = accepted.with_columns(given_texts["title"], given_texts["decision_reference"])
    content, lacking = clean_csv(accepted)
    assert lacking.is_empty()
    assert reference(content) == set()
    rows = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    for row, (title, decision) in zip(rows, texts, strict=False):
        assert row["objet"].removeprefix(" ") == title.removeprefix(" ")
        assert row["referenceDecision"].removeprefix(" ") == decision.removeprefix(" ")
        assert row["objet"][0] not in "=+-@"


def test_real_files_give_clean_csv_that_pass(real_files: Path, reference: Callable[..., Cells]) -> None:
    seen = 0
    for path in sorted(real_files.glob("*/*.csv")):
        if path.stat().st_size > 500_000:
            continue
        outcome = checked(path.read_bytes(), name=path.name)
        if outcome.report.legal_awards is None:
            continue
        content, lacking = clean_csv(outcome.accepted)
        assert reference(content) == set(), path.name
        awards = outcome.report.legal_awards
        assert len(list(csv.reader(io.StringIO(content.decode())))) == 1 + awards.conforming
        assert lacking["line_id"].n_unique() == awards.awards - awards.conforming, path.name
        seen += 1
    assert seen


# The answer


def test_the_receipt_says_it_and_gives_the_csv(valid: Table, tmp_path: Path) -> None:
    raw, warehouse = tmp_path / "raw", tmp_path / "warehouse"
    file = raw / "mairie" / "Aides 2017.csv"
    file.parent.mkdir(parents=True)
    head, *body = [list(row) for row in valid]
    body[0][head.index("nature")] = "Espèces"
    file.write_bytes(written([head, *body]))
    [deposit] = ingest(raw, warehouse, as_of=_DAY).deposits
    folder = file.parent / "_accuses"
    clean = folder / legal_name(deposit.report, file_name=file.name)
    assert clean.name == receipt_name(deposit.report, file_name=file.name).replace(".html", "-scdl.csv")
    assert clean.read_bytes() == clean_csv(scan_accepted(deposit.staging).collect())[0]
    page = (folder / receipt_name(deposit.report, file_name=file.name)).read_text(encoding="utf-8")
    assert f'href="{clean.name}"' in page
    assert "Conformité au format légal (SCDL 2.1.1)" in page
    assert "Nature de la subvention" in page
    before = clean.stat().st_mtime_ns
    ingest(raw, warehouse, as_of=_DAY)
    assert clean.stat().st_mtime_ns == before
    assert [path.name for path in folder.iterdir() if path.suffix in (".csv", ".tmp")] == [clean.name]


def test_the_verdict_survives_the_report_file(valid: Table, tmp_path: Path) -> None:
    head, *body = [list(row) for row in valid]
    body[0][head.index("objet")] = ""
    report = checked(written([head, *body])).report
    report.save(tmp_path / "report.json")
    assert Report.load(tmp_path / "report.json") == report
    assert "legal" not in report.to_json()


def test_a_held_file_gives_no_csv(valid: Table) -> None:
    report = checked(written(valid)).report
    report.status = "held"
    page = render(report, as_of=_DAY)
    assert "-scdl.csv" not in page
    assert "sera fait quand" in page


def test_an_archive_has_one_csv_for_all(valid: Table, tmp_path: Path) -> None:
    import zipfile

    path = tmp_path / "envoi.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.csv", written(valid))
        archive.writestr("b.csv", written(valid[:3]))
    outcome = checked(path.read_bytes(), name="envoi.zip")
    awards = outcome.report.legal_awards
    assert awards is not None
    assert awards.awards == len(valid) - 1 + 2
    page = render(outcome.report, as_of=_DAY)
    assert page.count("Oui</strong>&nbsp;: ce tableau est conforme") == 2


def test_the_model_refuses_other_columns() -> None:
    with pytest.raises(pandera.errors.SchemaError):
        Scdl.validate(pl.DataFrame({"objet": ["x"]}))
