"""Sheets of contracts other than applications: read, checked, counted, reported and staged beside them."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import duckdb
import openpyxl
import polars as pl
import pytest

from pipelines.ingest.check import check_file
from pipelines.ingest.derive import Origin
from pipelines.ingest.receipt import render
from pipelines.ingest.stage import stage
from pipelines.warehouse.connection import run
from pipelines.warehouse.inputs import DECLARATIONS, DEPOSITS, VERSIONS, Inputs, register
from schemas.contract import polars_schema
from schemas.contracts import CONTRACTS, field_title, fields_of, others, staged_name
from schemas.decision_count import DecisionCount
from schemas.format import Format, FormatError, load_format, load_formats
from schemas.funder import FunderFile
from tests.warehouse_staging import Staging

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.ingest.outcome import Outcome

TOTALS = """
title = "Totaux d'essai"
description = "Un total par ligne."
contract = "decision_count"
[recognise]
required = ["measure", "value"]
[fields.service_name]
[fields.territory_name]
headers = ["Territoire"]
[fields.fiscal_year]
[fields.measure]
headers = ["Mesure"]
values = { "déposées" = "submitted", "refusées" = "refused" }
[fields.value]
headers = ["Total"]
[constants]
currency = "EUR"
"""
HEADER = ["Service instructeur", "Territoire", "Exercice", "Mesure", "Total"]
APPLICATIONS = [
    ["Demandeur", "Décision", "Montant demandé", "Montant accordé", "Exercice", "Financeur"],
    ["Les Amis", "accordée", 1000, 800, 2024, "Ville d'Essai"],
    ["Les Voisins", "refusée", 500, None, 2024, "Ville d'Essai"],
]


@pytest.fixture
def formats(tmp_path: Path) -> dict[str, Format]:
    path = tmp_path / "totaux-essai.toml"
    path.write_text(TOTALS, encoding="utf-8")
    return {**load_formats(), "totaux-essai": load_format(path)}


def workbook(**sheets: list[list[object]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, table in sheets.items():
        sheet = book.create_sheet(name)
        for row in table:
            sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def check(content: bytes, formats: dict[str, Format] | None, name: str = "tableau.xlsx") -> Outcome:
    return check_file(content, Origin("d", "ville", name, FunderFile()), formats=formats)


@pytest.mark.parametrize("contract", list(CONTRACTS))
def test_a_contract_says_where_each_line_comes_from(contract: str) -> None:
    assert {"line_id", "deposit_id", "source_sheet", "source_row", "format_id", "is_demonstration"} <= set(
        fields_of(contract)
    )


def test_a_format_of_totals(formats: dict[str, Format]) -> None:
    table = [HEADER, ["DREETS", "Hérault", 2023, "Déposées", "1 203"], ["DREETS", "Gard", 2024, "refusées", 7]]
    outcome = check(workbook(Totaux=table), formats)
    report, totals = outcome.report, outcome.others["decision_count"]
    assert (report.status, report.format, report.recognised_by) == ("accepted", "totaux-essai", "format")
    assert (report.rows_read, report.rows_accepted, report.rows_rejected, report.rows_ignored) == (2, 2, 0, 0)
    assert report.decisions == {"refused": 7, "submitted": 1203}
    assert (report.amounts, report.currency, report.headline_stage) == ({}, None, None)
    assert (report.fiscal_years, report.funders, report.legal_sheets) == ([2023, 2024], ["ville"], [])
    assert outcome.accepted.is_empty()
    DecisionCount.validate(totals)
    assert totals["line_id"].to_list() == ["d:0:2", "d:0:3"]
    assert totals["value"].to_list() == [Decimal(1203), Decimal(7)]
    assert totals["fiscal_year_basis"].to_list() == ["column", "column"]
    assert json.loads(report.to_json())["columns"][0] == {
        "sheet": "Totaux", "column": "A", "header": "Service instructeur", "field": "service_name",
    }  # fmt: skip


def test_what_cannot_be_read_is_set_aside_with_its_place(formats: dict[str, Format]) -> None:
    table = [
        HEADER,
        ["A", "Gard", 2023, "Déposées", "beaucoup"],
        ["A", "Gard", 2023, "accordées", 4],
        ["A", "Gard", 2023, "refusées", "2,5"],
        ["A", "Gard", "avant", "refusées", 3],
        *(["A", "Gard", 2023, "refusées", number] for number in range(30)),
    ]
    outcome = check(workbook(Totaux=table), formats)
    report = outcome.report
    assert (report.rows_read, report.rows_accepted, report.rows_rejected) == (34, 30, 4)
    found = [(issue.row, issue.column, issue.code) for issue in report.issues if issue.severity == "error"]
    assert found == [
        (2, "E", "amount_unreadable"),
        (3, "D", "required_missing"),
        (4, "E", "count_not_whole"),
        (5, "C", "fiscal_year_unreadable"),
    ]
    assert outcome.rejected["row"].to_list() == [2, 3, 4, 5]
    assert "« 2,5 »" in next(issue.message for issue in report.issues if issue.code == "count_not_whole")


def test_one_workbook_holds_sheets_of_several_contracts(formats: dict[str, Format]) -> None:
    totals = [HEADER, ["DREETS", "Hérault", 2019, "Déposées", 12]]
    outcome = check(workbook(Totaux=totals, Demandes=APPLICATIONS), formats)
    report = outcome.report
    assert [(sheet.name, sheet.kept, sheet.rows_accepted) for sheet in report.sheets] == [
        ("Totaux", True, 1),
        ("Demandes", True, 2),
    ]
    assert (report.format, report.rows_read, report.rows_accepted) == ("modele", 3, 3)
    # What totals state is never added to lines.
    assert report.decisions == {"awarded": 1, "refused": 1}
    assert report.fiscal_years == [2024]
    assert (outcome.accepted.height, outcome.others["decision_count"].height) == (2, 1)
    assert report.funders == ["Ville d'Essai", "ville"]
    assert any("1\u00a0total de décisions" in message for message in report.messages)


def test_an_archive_keeps_lines_of_every_contract(formats: dict[str, Format]) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in ("a.xlsx", "b.xlsx"):
            archive.writestr(name, workbook(Totaux=[HEADER, ["A", "Gard", 2023, "Déposées", 5]]))
    outcome = check(content.getvalue(), formats, name="tout.zip")
    totals = outcome.others["decision_count"]
    assert outcome.report.decisions == {"submitted": 10}
    assert totals["line_id"].to_list() == ["d:0:2/0", "d:0:2/1"]
    assert totals["source_sheet"].to_list() == ["a.xlsx · Totaux", "b.xlsx · Totaux"]


def test_lines_are_staged_in_a_file_of_their_own_that_the_warehouse_sees(
    tmp_path: Path, formats: dict[str, Format], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.ingest.check.load_formats", lambda: formats)
    table = [HEADER, ["DREETS", "Hérault", 2023, "Déposées", 12]]
    content, folder = tmp_path / "contenu", tmp_path / "staging" / "clef"
    content.write_bytes(workbook(Totaux=table, Demandes=APPLICATIONS))
    assert stage(content, Origin("d", "ville", "tableau.xlsx", FunderFile()), folder).rows_accepted == 3
    staged = pl.read_parquet(folder / "decision_counts.parquet")
    assert staged.schema == polars_schema(DecisionCount)
    inputs = Staging(tmp_path / "autre")
    inputs.deposit("e", [])
    given = inputs.inputs()
    given.stagings.append(("d", folder))  # type: ignore[attr-defined]
    with duckdb.connect() as connection:
        register(connection, given)
        assert run(connection, "SELECT count(*) FROM staged_applications") == [(2,)]
        assert run(connection, "SELECT measure, value FROM staged_decision_counts") == [("submitted", Decimal("12.00"))]
        assert run(connection, "SELECT count(*) FROM staged_other_rows") == [(1,)]


def test_the_receipt_names_what_totals_count(formats: dict[str, Format]) -> None:
    table = [HEADER, ["DREETS", "Hérault", 2023, "Déposées", 12]]
    page = render(check(workbook(Totaux=table), formats).report, as_of=date(2026, 1, 1))
    assert "Demandes déposées" in page
    assert "aucun n’est déduit" in page
    assert "Mesure" in page


def test_views_exist_without_any_line() -> None:
    nothing = Inputs([], *(pl.DataFrame(schema=s) for s in (DEPOSITS, VERSIONS, DECLARATIONS)), as_of=date(2026, 1, 1))
    with duckdb.connect() as connection:
        register(connection, nothing)
        for contract in others():
            assert run(connection, f"SELECT count(*) FROM staged_{staged_name(contract)}") == [(0,)]


def test_a_format_names_its_contract_rightly(tmp_path: Path) -> None:
    path = tmp_path / "faux.toml"
    for wrong, words in (
        (TOTALS.replace('"decision_count"', '"autre"'), "contract"),
        (TOTALS.replace("[recognise]", 'record_kind = "award"\n[recognise]'), "record_kind"),
        (TOTALS.replace("[fields.service_name]", "[fields.applicant_name]"), "applicant_name"),
        (TOTALS.replace('contract = "decision_count"', ""), "record_kind"),
    ):
        path.write_text(wrong, encoding="utf-8")
        with pytest.raises(FormatError, match=words):
            load_format(path)


def test_fields_have_one_title_for_people() -> None:
    assert field_title("measure") == "Mesure"
    assert field_title("inconnu") is None
