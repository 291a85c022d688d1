"""Real files, against the figures counted independently (MANIFEST.md beside them): lines, amounts, totals, twins.

The files stay where they are; a machine without them skips these tests, visibly.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING

import polars as pl
import pytest

from pipelines.ingest.check import check_file
from pipelines.ingest.normalise import Origin
from schemas.funder import FunderFile

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.ingest.outcome import Outcome

# path, format, rows read, accepted, rejected, ignored, amounts
CONTROLS = [
    ("paris/subventions-accordees-et-refusees-2013-2019-partie-1.csv", "paris-2013-2019", 47304, 47304, 0, 0,
     {"awarded": "1533418721.00"}),
    ("paris/subventions-accordees-et-refusees-2013-2019-partie-2.csv", "paris-2013-2019", 11826, 11826, 0, 0,
     {"awarded": "341028731.00"}),
    ("paris/subventions-accordees-et-refusees-2013.csv", "paris-2013", 6491, 6491, 0, 0,
     {"requested": "355255572.00", "awarded": "253719311.00"}),
    ("montpellier/subventions_montpellier_2018_2019.csv", "montpellier-2018-2019", 1760, 1760, 0, 0,
     {"awarded": "9981737.00"}),
    ("montpellier/VilleMTP_MTP_AttribSub_2012.csv", "associations-par-theme", 671, 616, 0, 55,
     {"awarded": "3797121.00"}),
    ("montpellier/VilleMTP_MTP_AttribSub_2013.csv", "structures-par-code", 938, 937, 0, 1, {"awarded": "19256523.00"}),
    ("montpellier/VilleMTP_MTP_AttribSub_2013.ods", "structures-par-code", 938, 937, 0, 1, {"awarded": "19256523.00"}),
    ("loire-atlantique/224400028_subventions-aux-associations.csv", "scdl", 18148, 18147, 0, 1,
     {"awarded": "472221540.88"}),
    ("maine-et-loire/224900019_conventions-de-subventions.csv", "scdl", 75, 70, 5, 0, None),
    ("mayenne/data.gouv-cd53-21-12-2018.xlsx", "scdl", 175, 173, 0, 2, None),
    ("mayenne/data.gouv-cd53-14-10-2019-.xlsx", "scdl", 61, 61, 0, 0, None),
    ("sarthe/sub_asso_2018_Sarthe.csv", "associations-fonctionnement-investissement", 1625, 1624, 1, 0,
     {"awarded": "7616647.12"}),
    ("sarthe/subventions_versees_aux_associations_en_2018-converti.xlsx",
     "associations-fonctionnement-investissement", 1625, 1624, 1, 0, {"awarded": "7616647.12"}),
    ("sarthe/subvention_progos_2018.xls", "conventions-dossiers", 24, 24, 0, 0, {"awarded": "1778125.00"}),
    ("jaune/plf-2012-jaune-associations-subventionnees-en-2010.csv", "jaune-2012", 37679, 20194, 0, 17485,
     {"paid": "1483995024.00"}),
    ("departements/DEP_Aube_Donnees_essentielles_conventions_subvention.xlsx", "scdl", 7, 7, 0, 0, None),
    ("departements/DEP_Charente Maritime_donnees-conventions-subventions.xlsx", "scdl", 101, 101, 0, 0, None),
    ("departements/DEP_Deux Sèvres_Convention_de_subventions_-_CD79.xls", "autorite-administrative", 467, 467, 0, 0,
     None),
    ("departements/DEP_Lot_Subventions_2017_DONNEES.xlsx_pour_exemple.csv", "scdl", 13, 13, 0, 0, None),
    ("departements/DEP_Nièvre_CD58_SUBVENTIONS_2016_LISTE.csv", "actes-subventions", 97, 92, 5, 0, None),
    ("departements/SCDL_DEP_Haute Garonne_datalocale-subvention.csv", "scdl", 69, 68, 1, 0, None),
    ("scdl/exemple_valide.csv", "scdl", 29, 29, 0, 0, {"awarded": "2821393.50"}),
    ("scdl/exemple-duplicate-column.csv", "scdl", 29, 29, 0, 0, {"awarded": "2821393.50"}),
    ("scdl/exemple_invalide_erreurs_cellules.csv", "scdl", 29, 29, 0, 0, None),
    ("scdl/exemple_invalide_erreurs_colonnes.csv", "scdl", 29, 29, 0, 0, None),
    ("dotations-investissement/projets_dotations_investissement_2019.xlsx", "dotations-investissement", 24811, 24811,
     0, 0, {"awarded": "1707978945.66"}),
    ("fonds-vert/fonds-vert-2023-export.csv", "fonds-vert", 10782, 10782, 0, 0, {"committed": "1956354884.00"}),
    ("reserve-parlementaire/2014_reserve_parlementaire.csv", "reserve-parlementaire", 13133, 13133, 0, 0,
     {"awarded": "80071558.00"}),
    ("amsterdam/subsidies_2019-05-21_d0bf07e.csv", "amsterdam", 14145, 14143, 0, 2, {"awarded": "1709785839.34"}),
    ("amsterdam/subsidies_2019-10-14_b9a4893.csv", "amsterdam", 15777, 15775, 0, 2, {"awarded": "1789961192.86"}),
    ("amsterdam/subsidies_2019-10-21_daa99c5.csv", "amsterdam", 15818, 15816, 0, 2, {"awarded": "1791034672.13"}),
    ("360giving/a003W000001B7PzQAK.xlsx", "360giving", 475, 475, 0, 0, None),
    ("360giving/a003W000001B7PzQAK.json", "360giving", 475, 475, 0, 0, None),
    ("erc/starting_eval.xlsx", "totaux-pays-annees", 42, 42, 0, 0, {}),
    ("erc/starting_granted.xlsx", "totaux-pays-annees", 32, 32, 0, 0, {}),
    ("data-subvention/SCDL.csv", "scdl", 4, 4, 0, 0, {"awarded": "110000.00"}),
    ("data-subvention/SCDL.xlsx", "scdl", 10, 10, 0, 0, {"awarded": "5562017.00"}),
    ("data-subvention/SCDL_DILCRAH_2019.csv", "scdl", 4, 4, 0, 0, {"awarded": "110000.00"}),
    ("data-subvention/SCDL_LESS_DATA.csv", "scdl", 3, 3, 0, 0, None),
    ("data-subvention/SCDL_LESS_DATA.xlsx", "scdl", 8, 8, 0, 0, None),
    ("data-subvention/SCDL_ONE_MISSING_MANDATORY.csv", "scdl", 4, 4, 0, 0, None),
    ("data-subvention/SCDL_ONE_MISSING_MANDATORY.xlsx", "scdl", 10, 10, 0, 0, None),
    ("data-subvention/SCDL_SECOND_IMPORT.csv", "scdl", 9, 9, 0, 0, None),
    ("data-subvention/SCDL_SECOND_IMPORT.xlsx", "scdl", 15, 15, 0, 0, None),
    ("data-subvention/SCDL_WITH_EXERCICE.csv", "scdl", 4, 4, 0, 0, None),
    ("data-subvention/SCDL_WITH_EXERCICE.xlsx", "scdl", 10, 10, 0, 0, None),
    ("data-subvention/SCDL_WITH_EXERCICE_ALT.xlsx", "scdl-statut", 3, 3, 0, 0,
     {"requested": "26500.00", "awarded": "17500.00"}),
    ("data-subvention/SUBVENTIA.xlsx", "subventia", 48, 48, 0, 0, None),
    ("data-subvention/chorus-export.xlsx", "chorus", 12, 12, 0, 0, {"paid": "777238.70"}),
    ("data-subvention/fonjep.xlsx", "fonjep", 2, 2, 0, 0, {"awarded": "13830.00"}),
    ("data-subvention/osiris-SuiviDossiers.xls", "osiris", 2, 1, 0, 1, None),
]  # fmt: skip
VENDEE = {"2017": 23, "201901": 6, "201903": 47, "201904": 4, "201905": 1, "201907": 8}


@cache
def outcome(path: Path) -> Outcome:
    origin = Origin("essai", path.parent.name, path.name, FunderFile())
    return check_file(path.read_bytes(), origin)


@pytest.mark.parametrize(
    ("path", "format_id", "read", "accepted", "rejected", "ignored", "amounts"), CONTROLS, ids=[c[0] for c in CONTROLS]
)
def test_lines_and_amounts(
    real_files: Path,
    path: str,
    format_id: str,
    read: int,
    accepted: int,
    rejected: int,
    ignored: int,
    amounts: dict[str, str] | None,
) -> None:
    report = outcome(real_files / path).report
    assert (report.format, report.status) == (format_id, "accepted")
    counts = (report.rows_read, report.rows_accepted, report.rows_rejected, report.rows_ignored)
    assert counts == (read, accepted, rejected, ignored)
    assert report.amounts | (amounts or {}) == report.amounts
    for column in report.columns:
        assert column.field or column.why


def test_every_file_is_read_or_answered(real_files: Path) -> None:
    known = {path for path, *_ in CONTROLS}
    for path in sorted(real_files.rglob("*")):
        name = path.relative_to(real_files).as_posix()
        if path.is_file() and path.suffix != ".md" and name not in known and not name.startswith("vendee/"):
            report = outcome(path).report
            assert report.status != "accepted", name
            assert report.messages, name


@pytest.mark.parametrize("name", ["2.0.2-proposition", "2.1.1", "projet-enrichi-2024"])
def test_the_schemas_are_refused(real_files: Path, name: str) -> None:
    report = outcome(real_files / "scdl" / f"schema-{name}.json").report
    assert report.status == "refused"
    assert "schéma" in report.messages[0]


def test_paris_by_year(real_files: Path) -> None:
    parts = [outcome(real_files / path).accepted for path, format_id, *_ in CONTROLS if format_id == "paris-2013-2019"]
    years = (
        pl.concat(parts)
        .group_by("fiscal_year")
        .agg(pl.len(), (pl.col("decision_status") == "refused").sum().alias("zero"), pl.col("amount_awarded").sum())
        .sort("fiscal_year")
    )
    assert [(year, lines, zero, int(euros)) for year, lines, zero, euros in years.iter_rows()] == [
        (2013, 8300, 3378, 240502938), (2014, 7650, 2857, 258237727), (2015, 8214, 3512, 270822332),
        (2016, 8819, 3465, 275349227), (2017, 8640, 3182, 276239759), (2018, 8397, 2986, 271370958),
        (2019, 9110, 3510, 281924511),
    ]  # fmt: skip


def test_montpellier_by_year_and_the_totals_of_its_themes(real_files: Path) -> None:
    recent = outcome(real_files / "montpellier/subventions_montpellier_2018_2019.csv").accepted
    years = recent.group_by("fiscal_year").agg(pl.len(), pl.col("amount_awarded").sum()).sort("fiscal_year")
    assert [(y, n, int(e)) for y, n, e in years.iter_rows()] == [(2018, 730, 3916576), (2019, 1030, 6065161)]
    themes = outcome(real_files / "montpellier/VilleMTP_MTP_AttribSub_2012.csv")
    assert themes.accepted["theme_raw"].n_unique() == 22
    assert themes.accepted["theme_raw"].null_count() == 0
    assert "22 totaux dans le fichier, dont 22 conformes" in themes.report.sheets[0].reason.replace("\u00a0", " ")


def test_montpellier_2013_twins_and_their_unlabelled_total(real_files: Path) -> None:
    """The control figure, 38 513 046 €, adds the unlabelled total of the last row to the lines: twice 19 256 523."""
    csv, ods = (outcome(real_files / f"montpellier/VilleMTP_MTP_AttribSub_2013.{suffix}") for suffix in ("csv", "ods"))
    assert csv.accepted["applicant_local_id"].drop_nulls().len() == 855
    total = _ignored_total(csv, real_files / "montpellier/VilleMTP_MTP_AttribSub_2013.csv")
    assert Decimal(csv.report.amounts["awarded"]) + total == 38513046
    assert _lines(csv) == _lines(ods)
    [repeated] = [sheet for sheet in ods.report.sheets if "répète" in sheet.reason]
    assert repeated.kept is False


def _ignored_total(found: Outcome, path: Path) -> Decimal:
    [issue] = [issue for issue in found.report.issues if issue.code == "total_line"]
    line = path.read_bytes().decode("cp1252").splitlines()[(issue.row or 0) - 1]
    return Decimal(re.sub(r"\D", "", line))


def _lines(found: Outcome) -> list[tuple[object, ...]]:
    names = ("fiscal_year", "applicant_local_id", "applicant_name", "purpose", "amount_awarded", "amount_loan",
             "amount_guarantee", "in_kind_type", "seat_postcode", "seat_commune_name")  # fmt: skip
    rows = found.accepted.select(names).rows()
    return sorted(rows, key=repr)


def test_loire_atlantique_and_the_total_hidden_on_line_2236(real_files: Path) -> None:
    path = real_files / "loire-atlantique/224400028_subventions-aux-associations.csv"
    found = outcome(path)
    [total] = [issue for issue in found.report.issues if issue.code == "total_line"]
    assert total.row == 2236
    in_2017 = found.accepted.filter(pl.col("fiscal_year") == 2017)["amount_awarded"].sum()
    assert in_2017 == Decimal("34692695.75")
    assert Decimal(found.report.amounts["awarded"]) + in_2017 == Decimal("506914236.63")
    lent = found.accepted.filter(pl.col("aid_form").is_in(["loan", "guarantee"]))
    assert 0 < lent.height == lent["amount_awarded"].null_count()


def test_sarthe_twins_say_the_same(real_files: Path) -> None:
    csv = outcome(real_files / "sarthe/sub_asso_2018_Sarthe.csv")
    book = outcome(real_files / "sarthe/subventions_versees_aux_associations_en_2018-converti.xlsx")
    assert _lines(csv) == _lines(book)
    assert sum(issue.code == "parts_added" for issue in csv.report.issues) == 26
    assert [sheet.kept for sheet in book.report.sheets].count(True) == 1
    assert any("répète" in sheet.reason for sheet in book.report.sheets)


def test_vendee_drops_add_up(real_files: Path) -> None:
    """Control: the amounts found in the raw text by their place before « aide en numéraire »."""
    amount = re.compile(r",\s*(\d{1,3}(?:[\s\u00a0]\d{3})*),(\d\d),(?=aide)")
    read, stated = Decimal(0), Decimal(0)
    for path in sorted((real_files / "vendee").iterdir()):
        found = outcome(path)
        lines = VENDEE[path.name.split("_")[0]]
        assert (found.report.status, found.report.rows_accepted, found.report.rows_rejected) == ("accepted", lines, 0)
        text = path.read_bytes().decode("cp1252" if path.name.startswith("2017") else "utf-8")
        amounts = amount.findall(text)
        assert len(amounts) == lines
        stated += sum(Decimal(re.sub(r"\D", "", whole) + "." + cents) for whole, cents in amounts)
        read += Decimal(found.report.amounts["awarded"])
        assert sum(issue.code == "cells_rejoined" for issue in found.report.issues) == lines
    assert read == stated == Decimal("12079235.62")


def test_jaune_details_bear_their_party_and_totals_are_right(real_files: Path) -> None:
    found = outcome(real_files / "jaune/plf-2012-jaune-associations-subventionnees-en-2010.csv")
    assert found.report.fiscal_years == [2010]
    assert found.accepted["applicant_id_raw"].null_count() == found.accepted["applicant_name"].null_count() == 0
    assert found.report.sheets[0].ignored == {"ligne de total": 1, "total par demandeur, détaillé en dessous": 17484}
    assert not any(issue.code == "total_mismatch" for issue in found.report.issues)
    assert set(found.accepted["record_kind"].unique()) == {"payment"}


def test_amsterdam_announces_its_lines(real_files: Path) -> None:
    for path, lines in (("subsidies_2019-05-21_d0bf07e", 14143), ("subsidies_2019-10-21_daa99c5", 15816)):
        report = outcome(real_files / f"amsterdam/{path}.csv").report
        assert f"{lines} lignes annoncées et lues" in report.sheets[0].reason
        assert report.currency == "EUR"
        assert report.natural_persons > 3000


def test_360giving_twins_say_the_same(real_files: Path) -> None:
    book, records = (outcome(real_files / f"360giving/a003W000001B7PzQAK.{suffix}") for suffix in ("xlsx", "json"))
    names = ("case_number", "title", "amount_requested", "amount_awarded", "currency", "decided_date", "applicant_name",
             "applicant_local_id", "scheme", "funder_name", "action_territory_code")  # fmt: skip
    assert sorted(book.accepted.select(names).rows(), key=repr) == sorted(
        records.accepted.select(names).rows(), key=repr
    )
    assert book.report.currency == records.report.currency == "GBP"


def test_state_files_know_their_funder(real_files: Path) -> None:
    for path, format_id, *_ in CONTROLS:
        if format_id in ("dotations-investissement", "fonds-vert", "reserve-parlementaire", "chorus", "jaune-2012"):
            accepted = outcome(real_files / path).accepted
            levels = {"state", "europe"} if format_id == "chorus" else {"state"}  # the State pays out the FSE too
            assert set(accepted["funder_level"]) == levels, path
    green = outcome(real_files / "fonds-vert/fonds-vert-2023-export.csv").accepted
    assert green["action_territory_code"].str.len_chars().min() == 2
    assert green["seat_commune_code"].drop_nulls().str.len_chars().unique().to_list() == [5]


def test_no_personal_column_is_read(real_files: Path) -> None:
    osiris = outcome(real_files / "data-subvention/osiris-SuiviDossiers.xls")
    reserve = outcome(real_files / "reserve-parlementaire/2014_reserve_parlementaire.csv")
    for found in (osiris, reserve):
        text = found.accepted.write_json() + found.report.to_json()
        assert not re.search(r"[\w.]+@[\w-]+\.\w+", text)
    headers = {column.header: column.field for column in reserve.report.columns}
    assert headers["Adresse"] is None
    assert headers["Prénom"] is None
