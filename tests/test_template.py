"""The blank workbook: whole, the same at every run, and read back without one issue once it is filled."""

from __future__ import annotations

import io
import re
from datetime import date, datetime
from decimal import Decimal
from itertools import cycle
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from openpyxl import Workbook, load_workbook
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.ingest.check import check_file
from pipelines.ingest.fold import fold
from pipelines.ingest.french import typeset
from pipelines.ingest.identifiers import parse_identifiers
from pipelines.ingest.normalise import Origin
from pipelines.ingest.origin_mark import origin_of
from pipelines.ingest.own_sheets import EXAMPLES, GUIDE, LISTS
from pipelines.ingest.template import (
    FORMAT,
    SHEETS,
    TemplateColumn,
    example_value,
    template_bytes,
    template_columns,
    template_words,
)
from schemas import codelist
from schemas.contract import SEVERAL, Euro, Share
from schemas.format import load_formats
from schemas.funder import FunderFile

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.ingest.outcome import Outcome


DATA_SHEET = "Demandes"
EVERY_SHEET = pytest.mark.parametrize(("name", "format_id"), list(SHEETS.items()), ids=list(SHEETS))


@pytest.fixture(scope="module")
def content() -> bytes:
    return template_bytes()


def blank(content: bytes) -> Workbook:
    return load_workbook(io.BytesIO(content))


def read_back(book: Workbook) -> Outcome:
    out = io.BytesIO()
    book.save(out)
    return check_file(out.getvalue(), Origin("d", "dossier", "modele.xlsx", FunderFile()))


def filled(content: bytes, lines: list[dict[str, Any]], name: str = DATA_SHEET) -> Workbook:
    book = blank(content)
    for row, line in enumerate(lines, start=2):
        for position, column in enumerate(template_columns(SHEETS[name]), start=1):
            book[name].cell(row, position).value = line.get(column.info.name)
    return book


PLACES = {"commune": "34172", "intercommunalité": "243400017", "département": "34", "région": "76", "pays": "FR"}
"""A code that exists at each level: Montpellier, its intercommunalité, its département, its région, the country."""


def some_value(column: TemplateColumn, line: int) -> Any:
    texts = {"applicant_rna": f"W34900{line:04d}", "seat_commune_code": "01004", "seat_postcode": "01500",
             "funder_siret": "99999001300016", "funder_siren": "999900012", "area_code": "34",
             "contact_mailbox": "contact@exemple.invalid", "applicant_siret": "99999002100019"}  # fmt: skip
    if column.info.name in ("closing_date", "valid_to"):
        return date(2024, 12, 31)
    if column.info.dtype == pl.Date:
        return date(2024, 3, 1 + line % 28)
    if column.info.dtype == Share:
        return 0.5
    if column.info.dtype == pl.Int32:
        return 2023 + line % 3 if column.info.name == "fiscal_year" else 2023
    if column.info.dtype == Euro:
        return float(Decimal(1250 + line) / 100)
    return texts.get(column.info.name, f"{column.info.title} {line}")


def in_place(line: dict[str, Any]) -> dict[str, Any]:
    """`line` with codes of territories of the levels it states."""
    for start in ("area", "action_territory"):
        if f"{start}_level" in line:
            line[f"{start}_code"] = PLACES[line[f"{start}_level"]]
    return line


def test_the_bytes_are_the_same_at_every_run(content: bytes) -> None:
    assert template_bytes() == content
    assert origin_of(content) is None


@EVERY_SHEET
def test_a_data_sheet_bears_the_titles_of_its_format_in_order(content: bytes, name: str, format_id: str) -> None:
    format_ = load_formats()[format_id]
    titles = [cell.value for cell in blank(content)[name][1]]
    assert titles == [format_.headers_of(field)[0] for field in format_.fields]
    assert blank(content).sheetnames == [*SHEETS, "Guide", "Exemples", "Listes"]
    assert blank(content)[name].freeze_panes == "A2"


@EVERY_SHEET
def test_every_field_of_a_format_has_one_group(name: str, format_id: str) -> None:
    grouped = [field for group in template_words()["groups"][format_id] for field in group["fields"]]
    assert sorted(grouped) == sorted(load_formats()[format_id].fields)
    assert set(template_words()["advice"][format_id]) <= set(grouped)
    assert all(re.fullmatch(r"[0-9A-F]{6}", column.colour) for column in template_columns(format_id))


@EVERY_SHEET
def test_each_column_is_explained_and_guarded(content: bytes, name: str, format_id: str) -> None:
    sheet = blank(content)[name]
    rules = {
        area.coord.split(":")[0]: rule for rule in sheet.data_validations.dataValidation for area in rule.cells.ranges
    }
    for column in template_columns(format_id):
        assert typeset(column.info.description) in sheet[f"{column.letter}1"].comment.text
        rule = rules.get(f"{column.letter}2")
        typed = column.choices or column.info.dtype in (pl.Date, pl.Int32, Euro, Share)
        assert rule is not None or not typed, column.info.name
        if rule is not None:
            assert len(rule.formula1) <= 255
            assert len(rule.error) <= 255
            assert rule.errorTitle
        shape = sheet.column_dimensions[column.letter]
        if column.info.name.endswith(("_siret", "_rna", "_code", "_postcode", "_number")):
            assert shape.number_format == "@"
        assert shape.width >= 16


@EVERY_SHEET
def test_lists_offer_every_label_but_the_one_nobody_should_choose(content: bytes, name: str, format_id: str) -> None:
    book = blank(content)
    rules = {area.coord.split(":")[0]: rule for rule in book[name].data_validations.dataValidation
             for area in rule.cells.ranges}  # fmt: skip
    for column in template_columns(format_id):
        if column.info.codelist is not None:
            sheet, cells = rules[f"{column.letter}2"].formula1.split("!")
            offered = [row[0].value for row in book[sheet][cells.replace("$", "")]]
            labels = dict(codelist.labels(column.info.codelist))
            labels.pop("unknown", None)
            assert offered == list(labels.values())


def test_examples_of_the_contract_satisfy_the_contract() -> None:
    numbers = pl.Series([c.info.example for c in template_columns() if c.info.name.endswith("_siret")])
    assert parse_identifiers(numbers).siret.null_count() == 0


def test_filled_with_every_choice_it_reads_back_without_one_issue(content: bytes) -> None:
    columns = template_columns()
    turns = {column.info.name: cycle(column.choices) for column in columns if column.choices}
    lines = []
    for number in range(max(len(column.choices) for column in columns) + 1):
        line = {c.info.name: next(turns[c.info.name]) if c.choices else some_value(c, number) for c in columns}
        if line["decision_status"] in ("refusée", "irrecevable"):
            line["amount_awarded"] = None
        line["agreement_end_year"] = 2025
        line["period_end"] = date(2024, 12, 31)
        lines.append(in_place(line))
    outcome = read_back(filled(content, lines))
    report = outcome.report
    assert (report.status, report.format, report.rows_accepted) == ("accepted", "modele", len(lines))
    assert [issue.message for issue in report.issues] == []
    for column in columns:
        wanted = {fold(choice) for choice in column.choices}
        if column.info.codelist is not None:
            labels = codelist.labels(column.info.codelist)
            assert {fold(labels[code]) for code in outcome.accepted[column.info.name].unique()} == wanted
    assert outcome.accepted["seat_postcode"].unique().to_list() == ["01500"]
    assert outcome.accepted["amount_requested"][0] == Decimal("12.50")
    assert outcome.accepted["decided_date"][0] == date(2024, 3, 1)


@pytest.mark.parametrize(("name", "format_id"), [item for item in SHEETS.items() if item[1] != FORMAT])
def test_the_other_sheets_filled_with_every_choice_read_back_without_one_issue(
    content: bytes, name: str, format_id: str
) -> None:
    columns = template_columns(format_id)
    lines: list[dict[str, Any]] = []
    for number in range(max(len(column.choices) for column in columns) + 1):
        line = {
            c.info.name: c.choices[number % len(c.choices)] if c.choices else some_value(c, number) for c in columns
        }
        for column in columns:
            if column.info.is_several:
                line[column.info.name] = " ; ".join(column.choices[: 1 + number % len(column.choices)])
        lines.append(in_place(line))
    outcome = read_back(filled(content, lines, name))
    contract = load_formats()[format_id].contract
    assert (outcome.report.status, outcome.report.rows_accepted) == ("accepted", len(lines))
    assert [issue.message for issue in outcome.report.issues] == []
    accepted = outcome.others[contract]
    for column in columns:
        assert accepted[column.info.name].null_count() == 0, column.info.name
        if column.info.is_several:
            codes = {code for cell in accepted[column.info.name] for code in cell.split(SEVERAL)}
            labels = dict(codelist.labels(column.info.codelist or ""))
            assert {labels[code] for code in codes} == set(column.choices)
    assert outcome.accepted.is_empty()


def test_the_examples_are_good_lines(content: bytes) -> None:
    columns = {column.info.name: column for column in template_columns()}
    lines = [
        {name: example_value(columns[name], value) for name, value in example["cells"].items()}
        for example in template_words()["examples"]
    ]
    report = read_back(filled(content, lines)).report
    assert [issue.message for issue in report.issues] == []
    assert report.decisions == {"awarded": 3, "inadmissible": 1, "refused": 1}


def test_guide_examples_and_lists_are_left_out_with_the_reason(content: bytes) -> None:
    report = check_file(content, Origin("d", "dossier", "modele.xlsx", FunderFile())).report
    assert report.rows_read == 0
    reasons = {sheet.name: sheet.reason for sheet in report.sheets if not sheet.kept}
    assert set(reasons) == {"Guide", "Exemples", "Listes"}
    assert all(reason.startswith("feuille du modèle") for reason in reasons.values())
    firsts = [blank(content)[name]["A1"].value for name in ("Guide", "Exemples", "Listes")]
    assert firsts == [GUIDE, EXAMPLES, LISTS]


def test_the_guide_says_the_thresholds_and_every_decision(content: bytes) -> None:
    guide = blank(content)["Guide"]
    text = "\n".join(str(cell.value) for row in guide.iter_rows() for cell in row if cell.value)
    assert "10 décisions" in text.replace("\u00a0", " ")
    assert "{" not in text
    for code, label in codelist.labels("decision_status").items():
        assert (label in text) or code == "unknown"
    for column in (column for format_id in SHEETS.values() for column in template_columns(format_id)):
        assert typeset(column.info.title) in text


def test_the_command_writes_once_and_never_over_a_filled_workbook(content: bytes, tmp_path: Path) -> None:
    run, out = CliRunner(), tmp_path / "a" / "modele.xlsx"
    for _ in range(2):
        assert run.invoke(app, ["template", "--out", str(out)]).exit_code == 0
    assert out.read_bytes() == content
    out.write_bytes(b"rempli")
    assert run.invoke(app, ["template", "--out", str(out)]).exit_code == 2
    assert out.read_bytes() == b"rempli"
    assert run.invoke(app, ["template", "--out", str(tmp_path)]).exit_code == 2


def test_dates_written_by_a_spreadsheet_are_dates(content: bytes) -> None:
    line = {"fiscal_year": 2024, "applicant_name": "Association", "decision_status": "accordée",
            "amount_requested": 100, "amount_awarded": 100, "decided_date": datetime(2024, 3, 15)}  # fmt: skip
    outcome = read_back(filled(content, [line]))
    assert outcome.report.issues == []
    assert outcome.accepted["decided_date"].to_list() == [date(2024, 3, 15)]
