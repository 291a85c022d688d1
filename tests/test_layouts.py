"""Layouts that one row, one line does not describe: each feature of a format, on a small hand-made file."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import openpyxl
import pytest

from pipelines.ingest.check import check_file
from pipelines.ingest.corrections import corrected
from pipelines.ingest.findings import Findings
from pipelines.ingest.normalise import Origin
from schemas.corrections import CorrectionsError, load_corrections
from schemas.format import Format, load_format, load_formats
from schemas.funder import FunderFile

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.ingest.outcome import Outcome

BASE = """
title = "Essai"
description = "Essai."
record_kind = "award"
headline_stage = "awarded"
[recognise]
required = ["applicant_name", "amount_awarded"]
[fields.applicant_name]
headers = ["Association", "Nom de l'association"]
[fields.amount_awarded]
headers = ["Montant", "Montant accordé"]
[constants]
decision_status = "awarded"
"""


def essai(folder: Path, more: str = "", *, base: str = BASE) -> dict[str, Format]:
    path = folder / "essai.toml"
    path.write_text(base + more, encoding="utf-8")
    return {"essai": load_format(path)}


def check(content: str | bytes, formats: dict[str, Format] | None = None, *, name: str = "liste 2021.csv") -> Outcome:
    raw = content.encode() if isinstance(content, str) else content
    return check_file(raw, Origin("d", "dossier", name, FunderFile()), formats=formats)


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


def test_a_header_on_two_rows_is_put_together(tmp_path: Path) -> None:
    text = "Nom de;;Montant\nl'association;Ville;accordé\nLes Amis;Sète;100\n"
    report = check(text, essai(tmp_path)).report
    assert (report.rows_read, report.rows_accepted, report.amounts) == (1, 1, {"awarded": "100.00"})
    assert [(c.column, c.header, c.field) for c in report.columns][::2] == [
        ("A", "Nom de l'association", "applicant_name"),
        ("C", "Montant accordé", "amount_awarded"),
    ]


def test_a_banner_above_the_header_and_the_title_of_a_merged_cell(tmp_path: Path) -> None:
    more = "[fields.seat_commune_name]\nheaders = ['Siège suite']\n[layout.banner]\nfunder_name = '^(ville de .+)$'\n"
    text = "Ville de Sète;;;\nListe;;;\n\nAssociation;Siège;;Montant\nLes Amis;34200;Sète;100\n"
    outcome = check(text, essai(tmp_path, more))
    line = outcome.accepted.row(0, named=True)
    assert (line["funder_name"], line["seat_commune_name"], line["source_row"]) == ("Ville de Sète", "Sète", 5)
    assert outcome.report.columns[2].header == "Siège (suite)"


def test_the_year_that_a_banner_names_when_nothing_else_does(tmp_path: Path) -> None:
    text = "Subventions versées en 2018;\nVille d'Essai;\nAssociation;Montant\nA;1\n"
    line = check(text, essai(tmp_path), name="liste.csv").accepted.row(0, named=True)
    assert (line["fiscal_year"], line["fiscal_year_basis"]) == (2018, "sheet_title")
    named = check(text, essai(tmp_path), name="liste 2019.csv").accepted.row(0, named=True)
    assert (named["fiscal_year"], named["fiscal_year_basis"]) == (2019, "file_name")
    two = check(text.replace("en 2018", "de 2017 à 2018"), essai(tmp_path), name="liste.csv").report
    assert two.rows_rejected == 1


def test_sections_totals_and_repeated_headers(tmp_path: Path) -> None:
    more = "[layout.sections]\nfield = 'theme_raw'\npattern = '^Thème : (.+)$'\n"
    text = (
        "Thème : sport;\nAssociation;Montant\nA;100\nB;50\nTotal;150\n"
        "Thème : culture;\nNom de l'association;Montant accordé\nC;7\nTOTAL;8\nTotal général;157\n"
    )
    outcome = check(text, essai(tmp_path, more))
    report = outcome.report
    assert (report.rows_read, report.rows_accepted, report.rows_rejected, report.rows_ignored) == (8, 3, 0, 5)
    assert outcome.accepted["theme_raw"].to_list() == ["sport", "sport", "culture"]
    [wrong] = [issue for issue in report.issues if issue.code == "total_mismatch"]
    assert (wrong.row, wrong.column, wrong.value) == (9, "B", "8")
    assert "7,00" in wrong.message
    assert "3 totaux dans le fichier, dont 2 conformes" in report.sheets[0].reason.replace("\u00a0", " ")


def test_a_theme_in_the_repeated_header_and_a_line_completed_below(tmp_path: Path) -> None:
    more = (
        "[fields.budget_programme]\nheaders = ['Imputation']\n"
        "[layout]\ncontinued = ['budget_programme']\n"
        "[layout.sections]\nfield = 'theme_raw'\nheader_of = 'applicant_name'\n"
    )
    text = "Association (sport);Montant;\nA;1;\nAssociation (culture);Montant;Imputation\nB;2;\n;;LC 12\nC;3;\n"
    outcome = check(text, essai(tmp_path, more))
    assert outcome.accepted["theme_raw"].to_list() == ["sport", "culture", "culture"]
    assert outcome.accepted["budget_programme"].to_list() == [None, "LC 12", None]
    assert outcome.report.rows_ignored == 2


def test_an_association_named_total_is_no_total(tmp_path: Path) -> None:
    report = check("Association;Montant\nTotal Danse;100\nB;50\n", essai(tmp_path)).report
    assert (report.rows_accepted, report.rows_ignored) == (2, 0)


def test_parents_are_controls_and_details_are_lines(tmp_path: Path) -> None:
    base = BASE.replace('headers = ["Montant", "Montant accordé"]', 'headers = ["Détail"]')
    more = (
        "[fields.applicant_id]\nheaders = ['SIREN']\n"
        "[layout.details]\ntotals = ['Total']\namount = 'amount_awarded'\n"
        "inherit = ['applicant_id', 'applicant_name']\n"
    )
    text = (
        "SIREN;Association;Total;Détail\n"
        "524991205;A;300;\n;;;100\n;;;200\n"  # the details take the party from above
        "784280505;B;50;\n784280505;B;;40\n"
        "Total des subventions;;350;340\n"
    )
    outcome = check(text, essai(tmp_path, more, base=base))
    assert outcome.accepted["applicant_siren"].to_list() == ["524991205", "524991205", "784280505"]
    assert outcome.report.amounts == {"awarded": "340.00"}
    assert outcome.report.rows_ignored == 3
    [wrong] = [issue for issue in outcome.report.issues if issue.code == "total_mismatch"]
    assert (wrong.row, wrong.value) == (5, "50")


def test_dashes_and_the_number_of_lines_announced(tmp_path: Path) -> None:
    right = check("Association;Montant\n-----;----\nA;1\nB;2\n\n(2 rows affected);\n", essai(tmp_path)).report
    assert (right.rows_read, right.rows_accepted, right.rows_ignored) == (4, 2, 2)
    assert "2 lignes annoncées et lues" in right.sheets[0].reason
    wrong = check("Association;Montant\nA;1\nB;2\n(3 lignes);\n", essai(tmp_path)).report
    assert [(i.code, i.row) for i in wrong.issues] == [("count_mismatch", 4)]


def test_parts_add_up_and_the_purpose_is_said_only_when_certain(tmp_path: Path) -> None:
    base = BASE.replace(
        'headers = ["Montant", "Montant accordé"]',
        "[fields.amount_awarded.parts]\noperating = ['Fonctionnement']\ninvestment = ['Investissement']",
    )
    text = "Association;Fonctionnement;Investissement\nA;100;\nB;;50,5\nC;10;20\nD;0;5\nE;;\n"
    outcome = check(text, essai(tmp_path, base=base))
    amounts = [None if value is None else str(value) for value in outcome.accepted["amount_awarded"].to_list()]
    assert amounts == ["100.00", "50.50", "30.00", "5.00", None]
    assert outcome.accepted["purpose"].to_list() == ["operating", "investment", None, "investment", None]
    [added] = [issue for issue in outcome.report.issues if issue.code == "parts_added"]
    assert added.row == 4
    assert "10.00" in added.message
    assert {c.field for c in outcome.report.columns} == {"applicant_name", "amount_awarded"}


def test_a_date_over_three_columns_and_merged_cells(tmp_path: Path) -> None:
    more = (
        "[fields.decided_date.parts]\nday = ['Jour']\nmonth = ['Mois']\nyear = ['An']\n"
        "[fields.theme_raw]\nheaders = ['Thème']\n[layout]\nmerged = ['theme_raw']\n"
    )
    text = "Thème;Association;Montant;Jour;Mois;An\nsport;A;1;5;3;2021\n;B;2;31;2;2021\nart;C;3;;;\n"
    outcome = check(text, essai(tmp_path, more))
    assert [str(day) for day in outcome.accepted["decided_date"].to_list()] == ["2021-03-05", "None", "None"]
    assert outcome.accepted["theme_raw"].to_list() == ["sport", "sport", "art"]
    [issue] = outcome.report.issues
    assert (issue.code, issue.row, issue.column, issue.value) == ("date_unreadable", 3, "F", "2021-02-31")


def test_sheets_of_two_months_with_their_dates_are_no_repetition(tmp_path: Path) -> None:
    more = "[fields.first_paid_date]\nheaders = ['Payé le']\n"
    months = {
        name: [["Association", "Montant", "Payé le"], *([f"Asso {i}", 100, day] for i in range(5))]
        for name, day in (("Janvier", "2021-01-31"), ("Février", "2021-02-28"))
    }
    report = check(workbook(**months), essai(tmp_path, more), name="2021.xlsx").report
    assert report.rows_accepted == 10


def test_columns_joined_from_another_sheet(tmp_path: Path) -> None:
    base = BASE.replace('required = ["applicant_name", "amount_awarded"]', 'required = ["amount_awarded"]').replace(
        "Association", "Tiers Nom"
    )
    more = "[[layout.joins]]\nsheet = ['Code', 'Nom']\nkey = 'Code'\non = 'CodeTiers'\nprefix = 'Tiers'\n"
    content = workbook(
        Postes=[["CodeTiers", "Montant"], ["1", 100], ["2", 50], ["9", 5]],
        Tiers=[["Code", "Nom"], ["2", "B"], ["1", "A"]],
    )
    outcome = check(content, essai(tmp_path, more, base=base), name="2021.xlsx")
    assert outcome.accepted["applicant_name"].to_list() == ["A", "B"]
    assert outcome.report.rows_rejected == 1
    assert [(s.name, s.kept) for s in outcome.report.sheets] == [("Tiers", False), ("Postes", True)]
    assert "compléter" in outcome.report.sheets[0].reason


def test_a_sheet_that_repeats_another_is_left_out(tmp_path: Path) -> None:
    table: list[list[object]] = [["Association", "Montant"], *([f"Asso {i}", i] for i in range(1, 9))]
    content = workbook(Détail=table[:6], Liste=table, Autre=[["Association", "Montant"], ["Z", 1], ["Y", 2], ["X", 3]])
    report = check(content, essai(tmp_path), name="2021.xlsx").report
    assert report.rows_accepted == 11
    [left_out] = [sheet for sheet in report.sheets if not sheet.kept]
    assert (left_out.name, "« Liste »" in left_out.reason) == ("Détail", True)


def test_name_and_identifier_swapped_are_read_in_their_place() -> None:
    header = "nomAttribuant;dateConvention;nomBeneficiaire;idBeneficiaire;montant"
    lines = "\n".join(f"Ville d'Essai;2021-01-05;52499120500013;Les Amis {i};{i}00" for i in range(1, 6))
    outcome = check(f"{header}\n{lines}\n")
    assert outcome.accepted["applicant_siret"].unique().to_list() == ["52499120500013"]
    assert outcome.accepted["applicant_name"][0] == "Les Amis 1"
    assert all("inversés" in (c.why or "") for c in outcome.report.columns if c.column in "CD")


def test_a_decimal_comma_without_quotes_is_put_back() -> None:
    header = "nomAttribuant,dateConvention,nomBeneficiaire,objet,montant,nature,notificationUE,,"
    text = (
        f"{header}\n"
        "Ville,2021-01-05,Les Amis,Colis,24 975,50,aide en numéraire,non,\n"
        "Ville,2021-01-05,Les Amis,Colis, repas, sorties,1 000,00,aide en numéraire,non,\n"
        "Ville,2021-01-05,Les Amis,Colis,300,aide en numéraire,non,,\n"
        "Ville,2021-01-05,Les Amis,Colis,repas,75,aide en numéraire,non,\n"
    )
    outcome = check(text)
    assert [str(value) for value in outcome.accepted["amount_awarded"].to_list()] == ["24975.50", "1000.00", "300.00"]
    assert outcome.accepted["title"][1] == "Colis, repas, sorties"
    codes = {(i.row, i.code) for i in outcome.report.issues if i.code in ("cells_rejoined", "row_shifted")}
    assert codes == {(2, "cells_rejoined"), (3, "cells_rejoined"), (5, "row_shifted")}
    assert outcome.rejected["row"].to_list() == [5]


def test_lines_filled_by_default_at_the_end_are_notes() -> None:
    header = "nomAttribuant;dateConvention;nomBeneficiaire;montant;notificationUE;pourcentageSubvention"
    text = f"{header}\nVille;2021-01-05;Les Amis;100;non;1\n;;;;non;1\nSource : la Ville;;;;;\n"
    report = check(text).report
    assert (report.rows_read, report.rows_accepted, report.rows_ignored) == (3, 1, 2)


def test_a_private_person_who_is_not_named(tmp_path: Path) -> None:
    base = BASE.replace("[fields.amount_awarded]", "natural = ['(Particulier)']\n[fields.amount_awarded]")
    more = "[fields.case_number]\nheaders = ['Dossier']\n"
    more_lines = "Dossier;Association;Montant\n1;(Particulier);10\n2;Les Amis;20\n"
    outcome = check(more_lines, essai(tmp_path, more, base=base))
    assert outcome.accepted.select("applicant_name", "applicant_kind", "applicant_kind_basis").rows() == [
        (None, "natural", "format"),
        ("Les Amis", "legal", "name"),
    ]
    assert outcome.report.issues == []


def test_a_number_of_zeros_is_no_identifier(tmp_path: Path) -> None:
    more = "[fields.applicant_id]\nheaders = ['SIRET']\n"
    outcome = check("Association;Montant;SIRET\nA;1;00000000000000\n", essai(tmp_path, more))
    assert outcome.accepted["applicant_id_raw"].to_list() == [None]
    assert outcome.report.issues == []


def test_codes_that_lost_their_zeros(tmp_path: Path) -> None:
    more = (
        "[fields.applicant_place]\nheaders = ['Code']\n[fields.action_territory_code]\nheaders = ['Dép']\ndigits = 2\n"
    )
    text = "Association;Montant;Code;Dép\nA;1;01004;1\nB;2;200078004;971\nC;3;01;2A\n"
    outcome = check(text, essai(tmp_path, more))
    assert outcome.accepted["action_territory_code"].to_list() == ["01", "971", "2A"]
    assert outcome.accepted["seat_commune_code"].to_list() == ["01004", None, None]
    assert outcome.accepted["applicant_siren"].to_list() == [None, "200078004", None]
    assert outcome.accepted["applicant_local_id"].to_list() == ["01004", "200078004", "01"]


def test_the_year_of_a_finance_bill_is_two_years_late(tmp_path: Path) -> None:
    more = "[year]\nin_name = 'plf-(20\\d{2})'\nshift = -2\n"
    outcome = check("Association;Montant\nA;1\n", essai(tmp_path, more), name="plf-2020-associations-2018.csv")
    assert outcome.accepted["fiscal_year"].to_list() == [2018]


def test_an_amount_shortened_by_a_spreadsheet_is_read_and_told(tmp_path: Path) -> None:
    outcome = check("Association;Montant\nA;1,23E+05\nB;450,00\n", essai(tmp_path))
    assert outcome.accepted["amount_awarded"].cast(float).to_list() == [123_000.0, 450.0]
    assert [(issue.code, issue.row, issue.severity) for issue in outcome.report.issues] == [
        ("amount_shortened", 2, "warning")
    ]


def test_amounts_with_more_than_two_decimals_keep_the_total_of_the_file(tmp_path: Path) -> None:
    text = "Association;Montant\n" + "".join(f"A{i};10.0044\n" for i in range(10))
    outcome = check(text, essai(tmp_path))
    assert outcome.accepted["amount_awarded"].unique().cast(float).to_list() == [10.0]
    assert outcome.report.amounts == {"awarded": "100.04"}
    assert [issue.code for issue in outcome.report.issues] == ["amount_rounded"]


def test_blank_rows_cost_nothing(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.append(["Association", "Montant"])
    book.active.append(["A", 1])
    book.active["A50000"] = " "
    content = io.BytesIO()
    book.save(content)
    report = check(content.getvalue(), essai(tmp_path), name="2021.xlsx").report
    assert (report.rows_read, report.rows_accepted) == (1, 1)


def test_corrections_apply_where_the_cell_still_says_what_it_said(tmp_path: Path) -> None:
    path = tmp_path / "corrections.csv"
    path.write_text(
        "line,case,field,old,new,reason,author\n"
        "d:0:2,,amount_awarded,6,6000,milliers oubliés,Analyste\n"
        "d:0:3,,amount_awarded,7,7000,milliers oubliés,Analyste\n"
        "autre:0:2,,applicant_name,A,Z,autre dépôt,Analyste\n",
        encoding="utf-8",
    )
    corrections = load_corrections(path)
    import polars as pl

    lines = pl.DataFrame({"source_row": [2, 3], "applicant_name": ["A", "B"], "amount_awarded": ["6", "7000"]})
    findings = Findings()
    origin = Origin("d", "dossier", "f.csv", FunderFile())
    raw = corrected(lines, origin, findings, sheet_index=0, corrections=corrections)
    assert raw.rows() == [("A", "6000"), ("B", "7000")]
    [(position, field, code, value, detail)] = findings.rows
    assert (position, field, code, value) == (0, "amount_awarded", "corrected", "6")
    assert "milliers oubliés ; Analyste" in (detail or "")
    path.write_text("line,case,field,old,new,reason,author\n,,x,1,2,r,a\n", encoding="utf-8")
    with pytest.raises(CorrectionsError, match="ligne 2"):
        load_corrections.__wrapped__(path)


def test_the_corrections_of_the_project_can_be_read() -> None:
    assert isinstance(load_corrections(), tuple)


OSIRIS = [
    ["Dossier", None, None, None, "Association", None, None, "Représentant légal", None, "Montants", None, None],
    ["Service", "N° Dossier Osiris", "Etat Dossier", "Exercice Début", "N° Siret", "Nom", "IBAN", "Nom", "Courriel",
     "Demandé", "Proposé", "Accordé"],
    ["DD34", "DD34-24-0001", "A évaluer", "2024", "52499120500013", "Les Amis", "FR76", "Dupont", "j@example.org",
     "300", "200", "100"],
    ["DD34", "DD34-24-0002", "Rejeté", "2024", "52499120500013", "Les Amis", "FR76", "Dupont", "j@example.org",
     "300", "0", "0"],
]  # fmt: skip


def test_osiris_on_two_rows_without_its_personal_columns() -> None:
    outcome = check(workbook(Suivi=OSIRIS), name="SuiviDossiers.xlsx")
    assert outcome.report.format == "osiris"
    assert outcome.report.decisions == {"awarded": 1, "inadmissible": 1}
    assert outcome.report.amounts == {"requested": "600.00", "proposed": "200.00", "awarded": "100.00"}
    assert outcome.accepted["applicant_name"].unique().to_list() == ["Les Amis"]
    everything = outcome.accepted.write_json() + outcome.report.to_json()
    assert "Dupont" not in everything
    assert "FR76" not in everything


def test_dauphin_and_demarches_simplifiees_status_words() -> None:
    dauphin = (
        "codeActionProjet;exerciceBudgetaire;virtualStatusLabel;demandeur.SIRET.complet;demandeur.nom;montantDemande;"
        "montantVote\n"
        "A1;2023;Rejetée;52499120500013;Les Amis;100;0\nA2;2023;Justifiée;52499120500013;Les Amis;100;80\n"
        "A3;2023;Cloturée;52499120500013;Les Amis;100;\n"
    )
    report = check(dauphin).report
    assert (report.format, report.decisions) == ("dauphin", {"awarded": 1, "closed_no_action": 1, "refused": 1})
    simplified = (
        "ID;Email;État du dossier;Déposé le;Traité le;Établissement SIRET;Entreprise raison sociale;Montant demandé\n"
        "1;a@example.org;accepte;2023-01-02;2023-03-04 10:00;52499120500013;Les Amis;100\n"
        "2;b@example.org;sans_suite;2023-01-02;2023-03-04 10:00;52499120500013;Les Amis;100\n"
    )
    report = check(simplified).report
    assert (report.format, report.decisions) == ("demarches-simplifiees", {"awarded": 1, "closed_no_action": 1})
    assert report.fiscal_years == [2023]


# The columns of each annex in order, under their titles, as `traitement_jaune.R` of etalab/hackathon_associations names
# them; the values are invented.
ANNEXES = {
    "jaune-2015 (PLF 2015 and 2016)": (
        ("Millésime;Type de budget;Ministère;Programme;Association;SIREN;Département;Ville;Montant;Objet;Convention;"
        "Eléments;Mission\n"
        "2013;Budget général;Jeunesse;163 - Jeunesse et vie associative;Les Amis;524991205;34;MONTPELLIER;1 500;Colis;"
        "Oui;;Sport\n"
        "2013;Budget général;Jeunesse;147 - Ville;Les Amis;524991205;34;MONTPELLIER;250,50;;Non;;Ville\n"),
        "plf-2015-jaune-effort-financier-de-letat-en-faveur-des-associations-.csv", 2013, "1750.50", ["163", "147"],
    ),
    "jaune-2015 (PLF 2017, without object)": (
        ("Millésime;Type de budget;Ministère;Programme;Association;SIREN;Département;Ville;Montant;Mission\n"
        "2015;Budget général;Jeunesse;163;Les Amis;524991205;34;MONTPELLIER;1500;Sport\n"),
        "projet-de-loi-de-finances-pour-2017-plf-2017-jaune-effort-financier.csv", 2015, "1500.00", ["163"],
    ),
    "jaune-2018 (PLF 2018)": (
        ("Programme;SIREN;NIC;Association;Montant;Objet;Parlementaire;Réserve parlementaire;Convention;Département;"
        "Commune;Ville;Catégorie juridique;NAF;Situation Sirene;RNA\n"
        "163;524991205;00013;Les Amis;1 000;Colis;;Non;Non;34;172;MONTPELLIER;9220;9499Z;Active;W343001234\n"),
        "projet-de-loi-de-finances-pour-2018-donnees-de-lannexe-jaune-effort-fin.csv", 2016, "1000.00", ["163"],
    ),
    "jaune-2018 (PLF 2019)": (
        ("Programme;SIREN;NIC;Association;Montant;Objet;Parlementaire;Réserve parlementaire;Convention;Sirene 01/01;"
        "Existe au 01/01;Sirene 31/12;Existe au 31/12;Département;Commune;Ville;NAF;Catégorie juridique\n"
        "163;524991205;00013;Les Amis;1 000;Colis;;Non;Non;1;Oui;1;Oui;34;172;MONTPELLIER;9499Z;9220\n"),
        "plf-2019-donnees-de-lannexe-jaune.csv", 2017, "1000.00", ["163"],
    ),
    "jaune-2018 (PLF 2020, two lines above the titles)": (
        ("Crédits aux associations;;;;;\n;;;;;\n"
        "Programme;SIREN;NIC;Association;Montant;Objet\n163;524991205;00013;Les Amis;1 000;Colis\n"),
        "credits_aux_associations_2018.csv", 2018, "1000.00", ["163"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ANNEXES)
def test_the_later_annexes_to_finance_bills(case: str) -> None:
    text, name, year, paid, programmes = ANNEXES[case]
    outcome = check(text.encode("cp1252"), name=name)
    report = outcome.report
    assert (report.format, report.fiscal_years) == (case.split()[0], [year])
    assert report.amounts == {"paid": paid}
    assert outcome.accepted["budget_programme"].to_list() == programmes
    assert outcome.accepted["applicant_siren"].to_list() == ["524991205"] * len(programmes)
    assert set(outcome.accepted["funder_level"]) == {"state"}


@pytest.mark.parametrize(
    ("name", "year"),
    [
        ("jaune 2018.csv", 2016),
        ("plf2020-jaune.csv", 2018),
        ("jaune associations versées en 2016.csv", 2016),
        ("2018.csv", None),
        ("associations 2018.csv", None),
    ],
)
def test_the_year_of_a_finance_bill_is_never_that_of_its_payments(name: str, year: int | None) -> None:
    """A name that only bears a year does not say which of the two it is: the file is held."""
    text = "Programme;SIREN;NIC;Association;Montant;Objet\n163;524991205;00013;Les Amis;1 000;Colis\n"
    report = check(text, name=name).report
    assert report.fiscal_years == ([] if year is None else [year])
    assert report.status == ("held" if year is None else "accepted")


CHORUS = ["N° EJ", "Code taxe 1", "Désignation de la structure", "Exercice comptable", "Domaine fonctionnel (CODE)",
          "Montant payé"]  # fmt: skip


def test_european_funds_that_the_state_pays_out_are_not_the_state() -> None:
    lines = [
        ["2103000001", "52499120500013", "Les Amis", 2024, "0163-02-01", 1000],
        ["2103000002", "52499120500013", "Les Amis", 2024, "FSE00-14", 200],
        ["#", "52499120500013", "Les Amis", 2024, "FTJ00-01", 30],
    ]
    outcome = check(workbook(Extraction=[CHORUS, *lines]), name="export.xlsx")
    assert outcome.accepted.select("funder_name", "funder_level", "amount_paid").rows() == [
        ("État", "state", 1000),
        ("Union européenne", "europe", 200),
        ("Union européenne", "europe", 30),
    ]


def test_a_functional_domain_of_another_fund_is_set_aside_and_said() -> None:
    lines = [[f"210300001{n}", "52499120500013", "Les Amis", 2024, "0163-02-01", 1000] for n in range(9)]
    lines.append(["2103000002", "52499120500013", "Les Amis", 2024, "XYZ-1", 200])
    report = check(workbook(Extraction=[CHORUS, *lines]), name="export.xlsx").report
    assert (report.status, report.rows_accepted, report.rows_rejected) == ("accepted", 9, 1)
    assert [(i.row, i.column, i.code) for i in report.issues if i.severity == "error"] == [(11, "E", "case_unforeseen")]
    assert report.amounts == {"paid": "9000.00"}


POSTS = [
    ["Code", "DispositifId", "PstStatutPosteLibelle", "FinanceurPrincipalCode", "AssociationBeneficiaireCode", "Annee",
     "MontantSubvention"],
    ["J1", "1", "Attribué", "10004", "1", 2017, 7000],
    ["J1", "1", "Attribué", "10004", "1", 2018, 7100],
    ["J2", "1", "Attribué", "10004", "1", 2017, 3500],
]  # fmt: skip
PAYMENTS = [
    ["PosteCode", "PeriodeDebut", "PeriodeFin", "DateVersement", "MontantAPayer", "MontantPaye"],
    ["J1", "2017-04-01", "2017-06-30", "2017-04-27", 3500, 3500],
    ["J1", "2017-01-01", "2017-03-31", "2017-01-26", 3500, 3499.5],
    ["J1", "2018-01-01", "2018-03-31", "2018-01-26", 1775, 1775],
    ["J2", "2017-01-01", "2017-03-31", None, 875, None],
]  # fmt: skip


def test_payments_of_a_post_are_another_stage_of_its_line() -> None:
    outcome = check(workbook(Poste=POSTS, Versement=PAYMENTS), name="fonjep.xlsx")
    report = outcome.report
    assert (report.format, report.amounts) == ("fonjep", {"awarded": "17600.00", "paid": "8774.50"})
    assert (report.rows_read, report.questions, report.headline_stage) == (3, [], "awarded")
    assert outcome.accepted["amount_paid"].cast(str).to_list() == ["6999.50", "1775.00", None]
    assert [str(day) for day in outcome.accepted["first_paid_date"]] == ["2017-01-26", "2018-01-26", "None"]


def test_payments_without_a_post_are_asked_and_two_posts_of_one_code_share_nothing() -> None:
    stray = [["J9", "2017-01-01", None, None, 10, 10], ["J1", "2019-01-01", None, None, 20, 20],
             ["J1", "2017-07-01", None, None, 20, "vingt"]]  # fmt: skip
    twice = [*POSTS, ["J1", "1", "Attribué", "10005", "1", 2017, 1]]
    report = check(workbook(Poste=twice, Versement=[*PAYMENTS, *stray]), name="fonjep.xlsx").report
    assert report.amounts["paid"] == "8774.50"
    assert any("Versement" in q and "3\u00a0lignes" in q and "ligne 6" in q for q in report.questions), report.questions


@pytest.mark.parametrize("name", sorted(load_formats()))
def test_no_format_claims_a_funder_by_common_words_alone(name: str) -> None:
    """A format that names its funder is recognised by at least two headers of its own."""
    format_ = load_formats()[name]
    if "funder_name" in format_.constants and "funder_name" not in format_.fields:
        assert len(format_.recognise.headers) >= 2
