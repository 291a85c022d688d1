"""Wide tables: columns whose titles are years or measures become lines; rows stay what is counted."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.ingest.check import check_file
from pipelines.ingest.derive import Origin
from schemas.format import Format, FormatError, load_format
from schemas.funder import FunderFile

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.ingest.outcome import Outcome

AMOUNTS = r"""
title = "Essai large"
description = "Une colonne par année."
record_kind = "award"
headline_stage = "awarded"
[recognise]
required = ["applicant_name", "amount_awarded"]
[fields.applicant_name]
headers = ["Association"]
[fields.title]
headers = ["Objet"]
[layout.unpivot]
key = "fiscal_year"
columns = { amount_awarded = "^(?:montant)?((?:19|20)\\d{2})$", amount_requested = "^demande((?:19|20)\\d{2})$" }
zero_is_blank = true
[constants]
decision_status = "awarded"
"""
COUNTS = r"""
title = "Essai de totaux"
description = "Une colonne par mesure."
contract = "decision_count"
[recognise]
required = ["fiscal_year", "value"]
[fields.service_name]
[fields.fiscal_year]
[fields.measure]
values = { "Déposées" = "submitted", "Refusées" = "refused" }
[layout.unpivot]
key = "measure"
columns = { value = "" }
"""


def read(folder: Path, declared: str) -> dict[str, Format]:
    path = folder / "large.toml"
    path.write_text(declared, encoding="utf-8")
    return {"large": load_format(path)}


@pytest.fixture(scope="module")
def amounts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Format]:
    return read(tmp_path_factory.mktemp("formats"), AMOUNTS)


def check(text: str, formats: dict[str, Format]) -> Outcome:
    return check_file(text.encode(), Origin("d", "ville", "liste.csv", FunderFile()), formats=formats)


def test_one_line_for_each_year_with_an_amount(amounts: dict[str, Format]) -> None:
    text = (
        "Association;Objet;2019;Montant 2020;2021;Demande 2021\n"
        "A;x;1 000;;300;500\nB;y;;0,00;-;\nC;z;;;;50\nTotal;;1 000;;300;550\n"
    )
    outcome = check(text, amounts)
    report, lines = outcome.report, outcome.accepted
    assert report.status == "accepted"
    assert (report.rows_read, report.rows_accepted, report.rows_rejected, report.rows_ignored) == (4, 2, 0, 2)
    assert report.sheets[0].ignored == {
        "ligne de total": 1,
        "ligne sans aucune valeur dans les colonnes du tableau": 1,
    }
    assert lines.select("applicant_name", "fiscal_year", "amount_awarded", "amount_requested").rows() == [
        ("A", 2019, Decimal(1000), None),
        ("A", 2021, Decimal(300), Decimal(500)),
        ("C", 2021, None, Decimal(50)),
    ]
    assert lines["line_id"].to_list() == ["d:0:2:C", "d:0:2:E", "d:0:4:E"]
    assert lines["source_row"].to_list() == [2, 2, 4]
    assert set(lines["fiscal_year_basis"]) == {"column"}
    assert lines["application_id"].n_unique() == 3
    assert report.amounts == {"requested": "550.00", "awarded": "1300.00"}
    assert report.fiscal_years == [2019, 2021]
    assert report.sheets[0].reason.endswith(" ; 3\u00a0totaux dans le fichier, dont 3 conformes aux lignes")
    assert [c.field for c in report.columns] == [
        "applicant_name", "title", "amount_awarded", "amount_awarded", "amount_awarded", "amount_requested",
    ]  # fmt: skip


def test_a_total_that_does_not_fall_right_is_said_at_its_cell(amounts: dict[str, Format]) -> None:
    outcome = check("Association;2019;2020\nA;100;7\nB;50;\nTotal;150;8\n", amounts)
    wrong = [issue for issue in outcome.report.issues if issue.code == "total_mismatch"]
    assert [(issue.row, issue.column, issue.value) for issue in wrong] == [(4, "C", "8")]


def test_a_row_is_rejected_only_when_all_that_it_gives_is(amounts: dict[str, Format]) -> None:
    rows = "".join(f"N{n};10;10\n" for n in range(20))
    outcome = check(f"Association;2019;2020\nA;beaucoup;7\nB;trop;\n{rows}", amounts)
    report = outcome.report
    assert (report.rows_read, report.rows_accepted, report.rows_rejected, report.rows_ignored) == (22, 21, 1, 0)
    assert outcome.rejected["row"].to_list() == [2, 3]
    assert outcome.accepted.height == 41
    found = [(i.row, i.column, i.value, i.code) for i in report.issues if i.severity == "error"]
    assert found == [(2, "B", "beaucoup", "amount_unreadable"), (3, "B", "trop", "amount_unreadable")]
    assert "« 2019 »" in next(i.message for i in report.issues)


def test_too_many_unreadable_cells_hold_the_file_even_when_no_row_is_lost(amounts: dict[str, Format]) -> None:
    rows = "".join(f"N{n};beaucoup;10\n" for n in range(10))
    report = check(f"Association;2019;2020\n{rows}", amounts).report
    assert (report.status, report.rows_accepted, report.rows_rejected) == ("held", 10, 0)


def test_titles_repeated_inside_the_sheet_are_no_amounts(amounts: dict[str, Format]) -> None:
    outcome = check("Association;2019;2020\nA;100;7\nAssociation;2019;2020\nB;50;\n", amounts)
    assert outcome.report.amounts == {"awarded": "157.00"}
    assert outcome.report.sheets[0].ignored == {"titres de colonnes répétés": 1}


def test_one_column_of_one_year_is_no_wide_table(amounts: dict[str, Format]) -> None:
    assert check("Association;2019\nA;100\n", amounts).report.format is None


def test_a_year_met_twice_is_read_once_and_said(amounts: dict[str, Format]) -> None:
    report = check("Association;2019;2020;2019\nA;100;7;100\n", amounts).report
    assert report.amounts == {"awarded": "107.00"}
    assert [c.why for c in report.columns if c.field is None] == ["même titre que la colonne B, qui est lue"]


def test_columns_of_measures(tmp_path: Path) -> None:
    formats = read(tmp_path, COUNTS)
    text = "Service instructeur;Exercice;Déposées;Refusées\nDREETS;2023;40;0\nDDETS;2023;12;\n"
    outcome = check(text, formats)
    totals = outcome.others["decision_count"]
    assert totals.select("service_name", "measure", "value", "line_id").rows() == [
        ("DREETS", "submitted", Decimal(40), "d:0:2:C"),
        ("DREETS", "refused", Decimal(0), "d:0:2:D"),
        ("DDETS", "submitted", Decimal(12), "d:0:3:C"),
    ]
    assert outcome.report.decisions == {"refused": 0, "submitted": 52}
    assert (outcome.report.rows_read, outcome.report.rows_accepted) == (2, 2)


def test_a_wrong_declaration_is_named(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="one group"):
        read(tmp_path, AMOUNTS.replace("(?:19|20)", "(19|20)"))
    with pytest.raises(FormatError, match="no headers"):
        read(tmp_path, AMOUNTS + '[fields.fiscal_year]\nheaders = ["Année"]\n')


cells = st.sampled_from(["", "-", "0", "12", "1 500,50", "beaucoup", "néant"])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=8))
def test_rows_always_add_up(amounts: dict[str, Format], table: list[tuple[str, str, str]]) -> None:
    rows = "".join(f"N{number};{';'.join(row)}\n" for number, row in enumerate(table))
    outcome = check(f"Association;2019;2020;2021\n{rows}", amounts)
    report = outcome.report
    assert report.rows_read == len(table) == report.rows_accepted + report.rows_rejected + report.rows_ignored
    filled = [[cell for cell in row if cell not in ("", "-", "0", "néant")] for row in table]
    good = [[cell for cell in row if cell != "beaucoup"] for row in filled]
    assert report.rows_accepted == sum(bool(row) for row in good)
    assert report.rows_ignored == sum(not row for row in filled)
    assert outcome.accepted.height == sum(map(len, good))
    assert outcome.accepted["line_id"].is_unique().all()
