"""One file, whole: what is understood of it, and that every row, column and cell is accounted for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.ingest.check import check_file
from pipelines.ingest.normalise import Origin
from pipelines.ingest.single import check_path
from schemas.application import Application
from schemas.funder import FunderFile

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.ingest.outcome import Outcome

SCDL = (
    "nomAttribuant,idAttribuant,dateConvention,referenceDecision,nomBeneficiaire,idBeneficiaire,rnaBeneficiaire,objet,"
    "montant,nature,conditionsVersement,datesPeriodeVersement,idRAE,notificationUE,pourcentageSubvention,dispositifAide"
)
ENRICHED = (
    "nomAttribuant;nomServiceInstructeur;nomBeneficiaire;idBeneficiaire;exerciceBudgetaire;statutLabel;"
    "montantDemande;montant"
)


def check(text: str, *, name: str = "fichier.csv", **declared: object) -> Outcome:
    return check_file(text.encode(), Origin("d", "dossier", name, FunderFile(**declared)))


def scdl(**cells: str) -> str:
    row = {
        "nomAttribuant": "Ville d'Essai",
        "dateConvention": "2024-03-15",
        "nomBeneficiaire": "Les Amis",
        "idBeneficiaire": "52499120500013",
        "objet": "Colis",
        "montant": "1500",
        "nature": "aide en numéraire",
        "conditionsVersement": "unique",
        "datesPeriodeVersement": "2024-04-01/2024-12-31",
        "notificationUE": "non",
        "pourcentageSubvention": "1",
    } | cells
    return f"{SCDL}\n" + ",".join(row.get(column, "") for column in SCDL.split(",")) + "\n"


def test_a_line_of_the_legal_format() -> None:
    report = check(scdl()).report
    assert (report.status, report.format, report.rows_read, report.rows_accepted) == ("accepted", "scdl", 1, 1)
    assert (report.amounts, report.decisions, report.fiscal_years) == ({"awarded": "1500.00"}, {"awarded": 1}, [2024])
    assert report.issues == []


def test_every_column_is_mapped_ignored_on_purpose_or_reported() -> None:
    text = "inconnue;Nom;" + ENRICHED + ";evaluation\n" + "x;y;F;S;A;52499120500013;2024;refusée;100;0;z\n"
    columns = {column.header: column for column in check(text).report.columns}
    assert columns["statutLabel"].field == "decision_status"
    assert columns["inconnue"].why == "colonne inconnue de ce format"
    assert columns["evaluation"].why is not None
    assert len(columns) == 11
    assert all(column.field or column.why for column in columns.values())


@pytest.mark.parametrize(
    ("word", "status"),
    [("refusée", "refused"), ("ineligible", "inadmissible"), ("attribuée", "awarded"),
     ("En cours d'intruction", "pending"), ("vu en bureau", "unknown"), ("", "unknown")],
)  # fmt: skip
def test_status_words(word: str, status: str) -> None:
    outcome = check(ENRICHED + f"\nF;S;A;52499120500013;2024;{word};100;\nF;S;B;;2024;attribuée;1;1\n")
    assert outcome.accepted["decision_status"][0] == status
    assert bool(outcome.report.questions) == (word == "vu en bureau")


def test_what_rejects_a_line_and_what_does_not() -> None:
    text = ENRICHED + "\n" + "\n".join([
        "F;S;A;52499120500013;2024;attribuée;100;douze",
        "F;S;;;2024;attribuée;100;50",
        "F;S;A;52499120500013;1800;attribuée;100;50",
        "F;S;A;52499120500014;2024;attribuée;100;50",
        "F;S;A;52499120500013;2024;refusée;100;50",
        "F;S;;52499120500013;2024;attribuée;100;",
        *("F;S;A;52499120500013;2024;attribuée;100;50",) * 14,
    ])  # fmt: skip
    outcome = check(text)
    report = outcome.report
    assert (report.rows_read, report.rows_accepted, report.rows_rejected) == (20, 17, 3)
    assert outcome.rejected["row"].to_list() == [2, 3, 4]
    assert outcome.rejected["reasons"].to_list() == ["amount_unreadable", "party_missing", "fiscal_year_out_of_range"]
    codes = {(issue.row, issue.code) for issue in report.issues if issue.code != "identical_lines"}
    assert codes == {
        (2, "amount_unreadable"), (3, "party_missing"), (4, "fiscal_year_out_of_range"), (5, "siret_invalid"),
        (6, "refused_with_amount"), (7, "applicant_name_missing"), (7, "amount_missing"),
    }  # fmt: skip
    [siret] = [issue for issue in report.issues if issue.code == "siret_invalid"]
    assert (siret.column, siret.value) == ("D", "52499120500014")
    assert outcome.accepted.row(0, named=True)["applicant_siret"] is None
    assert outcome.accepted.row(0, named=True)["applicant_id_raw"] == "52499120500014"
    Application.validate(outcome.accepted.filter(outcome.accepted["decision_status"] != "refused").head(0))


def test_what_an_emptied_cell_leaves_missing_is_said_too() -> None:
    """Aid in kind needs no amount; once the form of aid that says so is emptied as unknown, the amount is missing."""
    text = (
        "Demandeur;Financeur;Exercice;Décision;Forme de l'aide;Aide en nature;Montant demandé;Montant accordé\n"
        "Les Amis;Ville d'Essai;2024;Accordée;en or;denrées;;\n"
        "Les Autres;Ville d'Essai;2024;Accordée;;denrées;;\n"
        "Les Voisins;Ville d'Essai;2024;Accordée;numéraire;;100;100\n"
    )
    outcome = check(text)
    assert (outcome.report.format, outcome.report.rows_accepted, outcome.report.rows_rejected) == ("modele", 3, 0)
    assert {(issue.row, issue.code) for issue in outcome.report.issues} == {(2, "code_unlisted"), (2, "amount_missing")}
    assert outcome.accepted["aid_form"].to_list() == [None, "in_kind", "cash"]


def test_too_many_rejections_hold_the_file() -> None:
    report = check(ENRICHED + "\nF;S;A;;2024;attribuée;1;deux\nF;S;A;;2024;attribuée;1;2\n").report
    assert report.status == "held"
    assert "trop" in report.messages[0]


def test_a_total_is_ignored_only_when_it_adds_up() -> None:
    lines = "\n".join(f"F;S;Asso {i};;2024;attribuée;;{i}00" for i in range(1, 10))
    added = check(f"{ENRICHED}\n{lines}\nF;S;;;2024;attribuée;;4500\n")
    assert (added.report.rows_accepted, added.report.rows_rejected, added.report.rows_ignored) == (9, 0, 1)
    off = check(f"{ENRICHED}\n{lines}\nF;S;;;2024;attribuée;;4600\n")
    assert (off.report.rows_accepted, off.report.rows_rejected, off.report.rows_ignored) == (9, 1, 0)
    labelled = check(f"{ENRICHED}\n{lines}\nTOTAL;;;;;;;4500\n")
    assert (labelled.report.rows_accepted, labelled.report.rows_rejected, labelled.report.rows_ignored) == (9, 0, 1)


def test_a_loan_is_no_grant() -> None:
    header = SCDL + ",Montant du prêt"
    row = scdl(montant="").splitlines()[1]
    outcome = check(f"{header}\n{row},5000\n")
    assert outcome.accepted["aid_form"].to_list() == ["loan"]
    assert outcome.report.amounts == {}


def test_identical_lines_are_kept_and_told_apart() -> None:
    row = scdl().splitlines()[1]
    outcome = check(f"{SCDL}\n{row}\n{row}\n{row}\n")
    assert outcome.accepted["application_id"].n_unique() == 3
    assert [issue.code for issue in outcome.report.issues] == ["identical_lines"] * 3
    again = check(f"{SCDL}\n{scdl(objet='Autre').splitlines()[1]}\n{row}\n{row}\n{row}\n")
    assert set(outcome.accepted["application_id"]) <= set(again.accepted["application_id"])


def test_personal_values_never_pass() -> None:
    objet = "Aide ; écrire à jean.dupont@example.org ou au 06 12 34 56 78"
    outcome = check(scdl(objet=objet))
    assert outcome.report.personal_removed == {"adresse électronique": 1, "téléphone": 1}
    everything = outcome.report.to_json() + outcome.accepted.write_json() + outcome.issues.write_json()
    assert "jean.dupont" not in everything
    assert "34 56 78" not in everything


@pytest.mark.parametrize("where", ["montant", "idBeneficiaire", "nature", "dateConvention", "notificationUE"])
def test_personal_values_in_cells_that_are_no_text_never_pass(where: str) -> None:
    value = "jean.dupont@example.org"
    bad = scdl(**{where: f"12 {value}"}).splitlines()[1]
    outcome = check("\n".join([scdl(), *scdl().splitlines()[1:], bad]) + "\n")
    frames = (outcome.accepted, outcome.rejected, outcome.issues)
    assert value not in outcome.report.to_json() + "".join(frame.write_json() for frame in frames)


def test_a_line_whose_only_party_is_a_wrong_number_is_rejected() -> None:
    nobody = scdl(nomBeneficiaire="", idBeneficiaire="", rnaBeneficiaire="=SUM(B2:B9)").splitlines()[1]
    report = check("\n".join([scdl(), *[scdl(objet=str(n)).splitlines()[1] for n in range(9)], nobody]) + "\n").report
    assert (report.status, report.rows_accepted, report.rows_rejected) == ("accepted", 10, 1)
    assert {"rna_invalid", "party_missing"} <= {issue.code for issue in report.issues}


def test_a_number_beside_a_personal_value_is_told_as_removed() -> None:
    outcome = check(scdl(idBeneficiaire="écrire à jean.dupont@example.org"))
    assert outcome.report.personal_removed == {"adresse électronique": 1}
    assert outcome.accepted["applicant_id_raw"].to_list() == ["écrire à [donnée personnelle retirée]"]


def test_a_personal_value_in_a_total_never_passes() -> None:
    total = "TOTAL,,,,,,,,12 jean.dupont@example.org,,,,,,,"
    outcome = check(f"{scdl()}{total}\n")
    assert [issue.code for issue in outcome.report.issues] == ["total_mismatch"]
    assert "jean.dupont" not in outcome.report.to_json() + outcome.issues.write_json()


def test_personal_values_in_titles_never_pass() -> None:
    text = scdl().replace("dispositifAide", "Contact jean.dupont@example.org")
    outcome = check(text)
    assert "jean.dupont" not in outcome.report.to_json() + str(outcome.report.legal_sheets)


def test_the_fiscal_year_says_where_it_comes_from() -> None:
    by_date = check(scdl())
    by_name = check(scdl(dateConvention="", datesPeriodeVersement=""), name="subventions 2021.csv")
    by_year = check(scdl(dateConvention="2019"))
    assert by_date.accepted["fiscal_year_basis"].to_list() == ["signature_date"]
    assert by_name.accepted.select("fiscal_year", "fiscal_year_basis").row(0) == (2021, "file_name")
    assert by_year.accepted.select("fiscal_year", "fiscal_year_basis").row(0) == (2019, "signature_date")


def test_funder_comes_from_the_column_then_declarations_then_the_folder(tmp_path: Path) -> None:
    file = tmp_path / "raw" / "mairie-d-essai" / "f.csv"
    file.parent.mkdir(parents=True)
    file.write_text(scdl(nomAttribuant=""), encoding="utf-8")
    assert check_path(file, raw=tmp_path / "raw").funders == ["mairie-d-essai"]
    (file.parent / "funder.toml").write_text('name = "Ville d\'Essai"\n', encoding="utf-8")
    assert check_path(file, raw=tmp_path / "elsewhere").funders == ["Ville d'Essai"]
    assert check_path(file, raw=tmp_path / "raw", funder="Autre").funders == ["Autre"]
    outside = tmp_path / "f.csv"
    outside.write_text(scdl(nomAttribuant=""), encoding="utf-8")
    report = check_path(outside, raw=tmp_path / "raw")
    assert report.status == "accepted"
    assert any("financeur" in message for message in report.messages)


def test_a_bad_funder_file_is_said_and_does_not_stop(tmp_path: Path) -> None:
    file = tmp_path / "raw" / "x" / "f.csv"
    file.parent.mkdir(parents=True)
    file.write_text(scdl(), encoding="utf-8")
    (file.parent / "funder.toml").write_text("nom = 'faute'\n", encoding="utf-8")
    report = check_path(file, raw=tmp_path / "raw")
    assert report.status == "accepted"
    assert "funder.toml" in report.messages[0]


def test_the_json_has_the_agreed_keys() -> None:
    body = json.loads(check(scdl(montant="douze")).report.to_json())
    assert list(body) == [
        "file", "sha256", "format", "recognised_by", "status", "rows_read", "rows_accepted", "rows_rejected",
        "rows_ignored", "amounts", "headline_stage", "currency", "decisions", "fiscal_years", "sheets", "columns",
        "issues", "messages",
    ]  # fmt: skip
    assert set(body["issues"][0]) == {"sheet", "row", "column", "value", "code", "message", "severity"}
    assert set(body["sheets"][0]) == {"name", "kept", "reason"}
    assert {"sheet", "column", "header", "field"} <= set(body["columns"][0])


@pytest.mark.parametrize("text", ["", "rien\n", "a;b\n1;2\n", SCDL + "\n"])
def test_what_holds_no_grant_is_said(text: str) -> None:
    report = check(text).report
    assert report.status != "accepted"
    assert report.messages


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.text(max_size=15), min_size=8, max_size=8), max_size=12))
def test_counts_always_add_up(table: list[list[str]]) -> None:
    quoted = ("\n".join(";".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in table)).replace(
        "\x00", ""
    )
    report = check(f"{ENRICHED}\n{quoted}\n").report
    assert report.rows_read == report.rows_accepted + report.rows_rejected + report.rows_ignored
    for sheet in report.sheets:
        assert sheet.rows_read == sheet.rows_accepted + sheet.rows_rejected + sheet.rows_ignored


def test_lines_pasted_twice_are_asked_about_and_a_grant_given_twice_is_not() -> None:
    titles = "nomAttribuant;dateConvention;nomBeneficiaire;objet;montant;nature"
    lines = [f"Ville;2024-05-0{i + 1};Club {i};colis;{100 + i};aide en numéraire" for i in range(6)]
    asked = "redisent dans le même ordre"
    pasted = check("\n".join([titles, *lines, *lines[1:5]]) + "\n").report
    assert (pasted.status, pasted.rows_accepted) == ("accepted", 10)
    assert [q for q in pasted.questions if asked in q and "lignes 8 à 11" in q and "ligne 3" in q]
    given = check("\n".join([titles, *lines, *(lines[:1] * 9)]) + "\n").report
    assert not [q for q in given.questions if asked in q]


SHARED = "nomAttribuant;dateConvention;referenceDecision;nomBeneficiaire;objet;montant;nature;pourcentageSubvention"


def shared(*lines: tuple[str, str, str, str]) -> Outcome:
    cells = (f"Ville;2024-05-01;{ref};{who};colis;{much};aide en numéraire;{part}" for ref, who, much, part in lines)
    return check("\n".join([SHARED, *cells]) + "\n")


def test_shares_of_one_amount_are_not_the_amount_on_each_line() -> None:
    outcome = shared(("D1", "Club", "100", "0.33"), ("D1", "Foyer", "100", "0.33"), ("D1", "Halle", "100", "0.34"))
    assert outcome.report.amounts == {"awarded": "100.00"}
    assert outcome.accepted["amount_total"].cast(str).to_list() == ["100.00"] * 3
    assert outcome.accepted["amount_awarded"].cast(str).to_list() == ["33.00", "33.00", "34.00"]
    thirds = shared(*(("D1", who, "100,01", "0.33") for who in ("Club", "Foyer", "Halle")))
    assert thirds.report.amounts == {"awarded": "100.01"}


@pytest.mark.parametrize(
    "lines",
    [
        [("D1", "Club", "100", "0.5"), ("D2", "Foyer", "100", "0.5")],
        [("D1", "Club", "100", "0.5"), ("D1", "Foyer", "100", "0.3")],
        [("D1", "Club", "100", "1"), ("D1", "Foyer", "100", "1")],
    ],
    ids=["two grants", "a part is elsewhere", "each has its own"],
)
def test_a_share_whose_others_are_not_there_leaves_the_amount(lines: list[tuple[str, str, str, str]]) -> None:
    assert shared(*lines).report.amounts == {"awarded": "200.00"}


def test_shares_of_grants_that_nothing_names_leave_the_amounts() -> None:
    titles = "nomAttribuant;dateConvention;nomBeneficiaire;montant;nature;pourcentageSubvention"
    lines = (f"Ville;2024-05-01;{who};100;aide en numéraire;0,5" for who in ("Club", "Foyer"))
    assert check("\n".join([titles, *lines]) + "\n").report.amounts == {"awarded": "200.00"}
