"""Tables of totals by country and year: what they count is told by their names or by funder.toml, else asked."""

from __future__ import annotations

import io
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import openpyxl
import pytest

from pipelines.ingest.check import check_file
from pipelines.ingest.deposited import other_lines
from pipelines.ingest.derive import Origin
from pipelines.ingest.inbox import ingest
from schemas.funder import FunderFile, FunderFileError, load_funder_file

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.ingest.outcome import Outcome

TABLE = [["Country", "2019", "2020", "2021"], ["Austria", 12, None, 7], ["Belgium", 30, 41, 0]]


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


def check(name: str, sheet: str = "Projects", table: list[list[object]] | None = None, **declared: object) -> Outcome:
    content = workbook(**{sheet: table or TABLE})
    return check_file(content, Origin("d", "", name, FunderFile.model_validate(declared)))


@pytest.mark.parametrize(
    ("name", "sheet", "measure"),
    [
        ("stats_eval.xlsx", "Projects", "submitted"),
        ("stats_granted.xlsx", "Projects", "awarded"),
        ("t.xlsx", "Projets déposés", "submitted"),
        ("t.xlsx", "Dossiers accordés", "awarded"),
        ("t.xlsx", "Projets financés", "awarded"),
        ("t.xlsx", "Demandes refusées", "refused"),
        ("evaluated and granted.xlsx", "Projects granted", "awarded"),
    ],
)
def test_names_tell_what_is_counted(name: str, sheet: str, measure: str) -> None:
    outcome = check(name, sheet)
    assert (outcome.report.status, outcome.report.format) == ("accepted", "totaux-pays-annees")
    assert outcome.report.decisions == {measure: 90}
    assert outcome.report.amounts == {}


@pytest.mark.parametrize(
    ("name", "sheet"),
    [
        ("stats.xlsx", "Projects"),  # of what kind?
        ("stats_granted.xlsx", "Feuil1"),  # projects, or euros?
        ("stats_granted.xlsx", "Projects evaluated"),  # they disagree
        ("projects evaluated and granted.xlsx", "Feuil1"),
        ("starting_grants.xlsx", "Projects"),  # the name of a programme
        ("projects_granted_budget.xlsx", "Feuil1"),
        ("projets non retenus.xlsx", "Feuil1"),  # retained, or not?
        ("success rate of projects evaluated.xlsx", "Feuil1"),
    ],
)
def test_a_table_whose_names_do_not_say_is_held_with_a_question(name: str, sheet: str) -> None:
    outcome = check(name, sheet)
    report = outcome.report
    assert (report.status, report.rows_read, report.rows_accepted, report.decisions) == ("held", 0, 0, {})
    assert outcome.others == {}
    assert len(report.questions) == 1
    assert f"Feuille « {sheet} »" in report.questions[0]
    assert "déposées" in report.questions[0]
    assert [(sheet.kept, sheet.rows_read) for sheet in report.sheets] == [(False, 0)]


@pytest.mark.parametrize(("title", "level"), [("Région", "region"), ("Département", "departement")])
def test_tables_of_other_territories(title: str, level: str) -> None:
    outcome = check("bilan.xlsx", "Dossiers déposés", [[title, "2022", "2023"], ["A", 12, 30], ["B", 7, None]])
    assert outcome.report.decisions == {"submitted": 49}
    assert set(outcome.others["decision_count"]["territory_level"]) == {level}


def test_the_rows_above_the_table_tell_too() -> None:
    outcome = check("stats.xlsx", "Feuil1", [["Number of projects granted"], [], *TABLE])
    assert outcome.report.decisions == {"awarded": 90}


def test_funder_toml_answers() -> None:
    answers = [{"file": "*_a.xlsx", "measure": "submitted"}, {"measure": "awarded"}]
    assert check("stats_a.xlsx", "Feuil1", totals=answers).report.decisions == {"submitted": 90}
    assert check("stats_b.xlsx", "Feuil1", totals=answers).report.decisions == {"awarded": 90}


def test_funder_toml_names_a_measure_that_exists(tmp_path: Path) -> None:
    path = tmp_path / "funder.toml"
    path.write_text('[[totals]]\nmeasure = "grants"\n', encoding="utf-8")
    with pytest.raises(FunderFileError, match="mesure inconnue"):
        load_funder_file(path)


def test_a_cell_that_is_no_count_is_set_aside() -> None:
    table = [*TABLE, ["Croatia", "1,5", "beaucoup", -3], *([f"Pays {n}", 1, 2, 3] for n in range(9))]
    report = check("stats_granted.xlsx", "Projects", table).report
    found = [(i.row, i.column, i.code) for i in report.issues if i.severity == "error"]
    assert found == [(4, "B", "count_not_whole"), (4, "C", "amount_unreadable"), (4, "D", "count_not_whole")]
    assert (report.rows_read, report.rows_accepted, report.rows_rejected) == (12, 11, 1)


def test_each_total_keeps_its_place_and_says_nothing_of_what_is_blank() -> None:
    totals = check("stats_granted.xlsx").others["decision_count"]
    assert totals.select("territory_name", "fiscal_year", "value", "line_id").rows() == [
        ("Austria", 2019, Decimal(12), "d:0:2:B"),
        ("Austria", 2021, Decimal(7), "d:0:2:D"),
        ("Belgium", 2019, Decimal(30), "d:0:3:B"),
        ("Belgium", 2020, Decimal(41), "d:0:3:C"),
        ("Belgium", 2021, Decimal(0), "d:0:3:D"),
    ]
    assert set(totals["territory_level"]) == {"country"}
    assert totals["is_exhaustive"].null_count() == totals.height


def test_a_table_with_a_column_for_each_outcome() -> None:
    table = [
        ["Service", "Exercice", "Dossiers reçus", "Dossiers accordés", "Dossiers refusés", "Montant total accordé"],
        ["Direction A", 2023, 40, 25, 12, "125 000,50"],
        ["Direction B", 2023, 9, 4, None, None],
        ["Total", None, 49, 29, 12, "125 000,50"],
    ]
    outcome = check("bilan.xlsx", "Bilan", table)
    report = outcome.report
    assert (report.status, report.format) == ("accepted", "totaux-decisions")
    assert report.decisions == {"awarded": 29, "refused": 12, "submitted": 49}
    assert (report.rows_read, report.rows_accepted, report.rows_ignored, report.issues) == (3, 2, 1, [])
    assert outcome.others["decision_count"].height == 6


def test_one_word_a_column_says_the_outcome() -> None:
    table = [["Service", "Année", "Reçues", "Accordées", "Refusées", "Irrecevables"], ["A", 2023, 40, 25, 12, 3]]
    report = check("bilan.xlsx", "Bilan", table).report
    assert (report.status, report.format) == ("accepted", "totaux-decisions")
    assert report.decisions == {"awarded": 25, "inadmissible": 3, "refused": 12, "submitted": 40}


@pytest.mark.parametrize("title", ["Structure", "Porteur de projet", "Tiers", "SIREN"])
def test_a_list_of_grants_is_not_taken_for_totals(title: str) -> None:
    """What is read of each line under these titles is a total; who asked for it would be lost without a word."""
    rows = [[title, "Exercice", "Montant total demandé", "Montant total accordé"]]
    rows += [[f"Association {n}", 2023, 200 + n, 100 + n] for n in range(3)]
    report = check("liste.xlsx", "Liste", rows).report
    assert report.status == "held"
    assert "dit-elle qui a demandé" in "\n".join(report.questions)


def test_a_territory_that_is_not_understood_is_asked() -> None:
    head = ["Service instructeur", "Département", "Exercice", "Dossiers reçus", "Dossiers accordés"]
    told = [["DDETS", place, 2023, 30, 20] for place in ("34", "30")]
    report = check("bilan.xlsx", "Bilan", [head, *told]).report
    assert report.status == "held"
    assert "« Département » (colonne B)" in "\n".join(report.questions)
    other = check("bilan.xlsx", "Bilan", [head, told[0], ["DRAAF", *told[1][1:]]]).report
    assert other.status == "accepted", "the service tells the two rows apart"


def test_a_row_that_adds_up_all_the_others_is_no_territory() -> None:
    rows = [TABLE[0], ["EU", 46, 50, 9], ["Austria", 12, 9, 7], ["Belgium", 30, 41, 0], ["Croatia", 4, None, 2]]
    outcome = check("stats_granted.xlsx", "Projects", rows)
    report = outcome.report
    assert report.decisions == {"awarded": 105}
    assert (report.rows_read, report.rows_accepted, report.rows_ignored) == (4, 3, 1)
    assert {(i.row, i.code) for i in report.issues} == {(2, "whole_row")}
    assert "« EU »" in report.issues[0].message
    # A sum that holds for some years only is a coincidence.
    rows[1][3] = 8
    assert check("stats_granted.xlsx", "Projects", rows).report.decisions == {"awarded": 209}


def test_a_list_of_applications_is_no_table_of_totals() -> None:
    table = [["Demandeur", "Dossiers reçus", "Dossiers accordés"], ["Les Amis", 3, 2]]
    assert check("liste.xlsx", "Feuil1", table).report.format is None


def test_a_table_that_loses_totals_or_leaves_is_held_back(tmp_path: Path) -> None:
    folder = tmp_path / "raw" / "ville"
    folder.mkdir(parents=True)
    file = folder / "bilan_granted.xlsx"
    rows = [TABLE[0], *([f"Pays {n}", n, n, n] for n in range(1, 21))]

    def passed(content: bytes | None) -> tuple[int, list[str]]:
        if content is None:
            file.unlink()
        else:
            file.write_bytes(content)
        done = ingest(tmp_path / "raw", tmp_path / "warehouse", as_of=date(2026, 1, 1))
        return sum(other_lines(d for d in done.deposits if d.is_current).values()), [
            message for d in done.deposits for message in d.report.messages if "CONFIRMER" in message
        ]

    (folder / "autre_eval.xlsx").write_bytes(workbook(Projects=TABLE))
    assert passed(workbook(Projects=rows)) == (65, [])
    counted, messages = passed(workbook(Projects=rows[:15]))
    assert counted == 65
    assert "nettement moins" in messages[0]
    counted, messages = passed(workbook(Projects=[*rows, ["Pays 21", 1, 1, 1]]))
    assert (counted, messages) == (68, [])
    counted, messages = passed(None)
    assert counted == 68
    assert "n’est plus dans le dossier" in messages[0]


def test_the_two_real_tables(real_files: Path) -> None:
    stated = {}
    for path in sorted((real_files / "erc").glob("*.xlsx")):
        outcome = check_file(path.read_bytes(), Origin("d", "", path.name, FunderFile()))
        report = outcome.report
        cells = openpyxl.load_workbook(path).worksheets[0].iter_rows(min_row=2, values_only=True)
        numbers = [value for row in cells for value in row[1:] if value is not None]
        assert report.status == "accepted"
        assert report.rows_read == report.rows_accepted + report.rows_rejected + report.rows_ignored
        assert (report.amounts, report.rows_rejected) == ({}, 0)
        assert report.fiscal_years == [2007, *range(2009, 2022)]
        assert outcome.others["decision_count"].height == len(numbers)
        assert sum(report.decisions.values()) == sum(numbers)
        stated |= report.decisions
    assert stated == {"submitted": 50981, "awarded": 5544}
