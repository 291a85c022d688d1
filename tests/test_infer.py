"""Inference: what no known format reads is read right, or held with the question that its author can answer."""

from __future__ import annotations

import io
import json
from datetime import date
from typing import TYPE_CHECKING

import openpyxl
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markupsafe import escape

from pipelines.ingest.check import check_file
from pipelines.ingest.format_file import format_toml
from pipelines.ingest.infer import infer
from pipelines.ingest.normalise import Origin
from pipelines.ingest.read import read_file
from pipelines.ingest.receipt import render
from pipelines.ingest.titles import meanings, read_title
from schemas.format import load_format, load_formats
from schemas.funder import FunderFile
from schemas.synonyms import load_synonyms

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.ingest.outcome import Outcome
    from pipelines.ingest.report import Report

NAMES = ["Association Les Amis", "Club de judo", "Comité des fêtes", "Épicerie solidaire", "Restos du cœur", "Secours"]
AWARDS = "subventions accordées 2023.csv"


def check(text: str, *, name: str = AWARDS, **declared: object) -> Outcome:
    return check_file(text.encode(), Origin("d", "ville-d-essai", name, FunderFile(**declared)))


def table(titles: str, *cells: str) -> str:
    """One line a name: `cells` are taken in turn, the name being put in place of `@`."""
    rows = [cells[i % len(cells)].replace("@", name, 1) for i, name in enumerate(NAMES)]
    return "\n".join([titles, *rows]) + "\n"


def workbook(**sheets: str) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, text in sheets.items():
        sheet = book.create_sheet(name)
        for line in text.splitlines():
            sheet.append(line.split(";"))
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def asked(report: Report) -> str:
    return "\n".join(report.questions)


ACCEPTED = {
    "an awarded amount, the year in the name": (
        table("Association;Objet;Montant accordé", "@;colis;1 500,00 €", "@;ateliers;250,50 €"), AWARDS,
        {"awarded": "5251.50"}, [2023], {"awarded": 6},
    ),
    "a bare amount in a list of awards": (
        table("Nom de l'association;Montant (en €)", "@;100", "@;200"), "Subventions attribuées en 2022.csv",
        {"awarded": "900.00"}, [2022], {"awarded": 6},
    ),
    "a bare amount in a list of payments": (
        table("Bénéficiaire;Exercice;Montant", "@;2021;100", "@;2022;200"), "subventions versées.csv",
        {"paid": "900.00"}, [2021, 2022], {"awarded": 6},
    ),
    "requested, awarded, known words": (
        table("Porteur de projet;Année;Montant demandé;Montant attribué;Statut de la demande",
              "@;2023;500;300;Accordée", "@;2023;400;;Refusée", "@;2023;200;;En cours d'instruction"), "suivi.csv",
        {"requested": "2200.00", "awarded": "600.00"}, [2023], {"awarded": 2, "pending": 2, "refused": 2},
    ),
    "decision dates, a number that can only be the applicant's": (
        (
            "Date de décision;SIRET;Bénéficiaire;Subvention votée\n"
            "12/03/2021;52499120500013;Association A;100\n15/06/2021;78428050500019;Association B;200\n"
            "20/09/2022;26750045200011;Association C;300\n"
        ), "delib.csv",
        {"awarded": "600.00"}, [2021, 2022], {"awarded": 3},
    ),
    "an « attributaire » beside the authority": (
        table("Collectivité attribuante;Date de convention;Attributaire;Objet;Montant décidé",
              "Ville d'Essai;2020-03-15;@;colis;100"), "conventions.csv",
        {"awarded": "600.00"}, [2020], {"awarded": 6},
    ),
    "a banner, a year above the titles, a total": (
        "Ville d'Essai;;\nSubventions versées aux associations en 2019;;\n;;\n"
        + table("ASSOCIATIONS;Objet;Montant versé", "@;x;1000") + "TOTAL;;6000\n", "liste.csv",
        {"paid": "6000.00"}, [2019], {"awarded": 6},
    ),
    "costs, rates and ranks are no grants": (
        table("N° d'ordre;Nom du bénéficiaire;Coût total;Taux;Subvention attribuée;Année", "1;@;9000;10;900;2024"),
        "x.csv", {"awarded": "5400.00"}, [2024], {"awarded": 6},
    ),
    "titles on two rows": (
        ";;Montant;\n" + table("Association;Année;Demandé;Accordé", "@;2023;300;100"), "subventions accordées.csv",
        {"requested": "1800.00", "awarded": "600.00"}, [2023], {"awarded": 6},
    ),
    "a loan apart from the grant": (
        table("Bénéficiaire;Exercice;Subvention accordée;Montant du prêt", "@;2022;100;", "@;2022;;5000"),
        AWARDS.replace("2023", "2022"), {"awarded": "300.00"}, [2022], {"awarded": 6},
    ),
}  # fmt: skip


ACCEPTED |= {
    "one column of amounts for each year": (
        table("Association;2019;2020;2021", "@;1000;;0", "@;500;250,50;"), "subventions accordées 2019-2021.csv",
        {"awarded": "5251.50"}, [2019, 2020], {"awarded": 9},
    ),
    "the stage in the titles, a sum, a total": (
        table("Bénéficiaire;Montant versé 2019;Montant versé 2020;Total", "@;1000;200;1200", "@;;300;300")
        + "Total;3000;1500;4500\n", "liste.csv",
        {"paid": "4500.00"}, [2019, 2020], {"awarded": 9},
    ),
}  # fmt: skip
WIDE_ASKED = {
    "no stage": (table("Association;Subvention 2019;Subvention 2020", "@;1000;500"), "liste.csv", "demandés, accordés"),
    "two amounts a year": (
        table("Association;Montant demandé 2019;Montant accordé 2019;Montant demandé 2020;Montant accordé 2020",
              "@;900;500;800;400"), "liste.csv", "seulement des demandes accordées",
    ),
    "another amount": (
        table("Association;2019;2020;Montant accordé", "@;900;500;77"), "subventions accordées.csv", "(colonne D)",
    ),
    "a decision": (
        table("Association;2019;2020;Statut", "@;900;500;Accordée"), "subventions accordées.csv",
        "à côté d'une colonne",
    ),
    "a year beside": (
        table("Association;Exercice;2019;2020", "@;2021;900;500"), "subventions accordées.csv", "à côté d'une colonne",
    ),
    "counts": (
        table("Association;2019;2020", "@;3;5"), "subventions accordées.csv", "des euros ou des nombres",
    ),
    "members": (
        table("Association;2019;2020", "@;1000;500"), "nombre d'adhérents, subventions accordées.csv",
        "des euros ou des nombres",
    ),
    "thousands": (
        table("Association;2019;2020", "@;1000;500"), "subventions accordées en milliers d'euros.csv", "quelle unité",
    ),
    "the same year twice": (
        table("Association;2019;2020;2020", "@;1000;500;400"), "subventions accordées.csv", "la même année",
    ),
    "a word among the amounts": (
        table("Association;2019;2020", "@;1000;500", "@;non;700"), "subventions accordées.csv", "que des montants",
    ),
    "requests": (
        table("Association;2019;2020", "@;1000;500"), "demandes de subventions.csv", "demandés, accordés",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WIDE_ASKED)
def test_a_wide_table_that_may_mean_two_things_is_asked(case: str) -> None:
    text, name, words = WIDE_ASKED[case]
    outcome = check(text, name=name)
    assert (outcome.report.status, outcome.accepted.height) == ("held", 0)
    assert words in asked(outcome.report)


def test_the_proposal_for_a_wide_table_reads_it_again(tmp_path: Path) -> None:
    text = table("Association;Montant accordé 2019;Montant accordé 2020", "@;1000;", "@;500;250")
    first = check(text, name="liste.csv")
    path = tmp_path / "nouveau.toml"
    path.write_text(first.report.proposed_format or "", encoding="utf-8")
    origin = Origin("d", "Ville d'Essai", "liste 2.csv", FunderFile())
    again = check_file(text.encode(), origin, formats={**load_formats(), "nouveau": load_format(path)})
    assert (again.report.format, again.report.recognised_by) == ("nouveau", "format")
    assert again.report.amounts == first.report.amounts == {"awarded": "5250.00"}
    assert again.report.fiscal_years == [2019, 2020]


@pytest.mark.parametrize("case", ACCEPTED)
def test_what_is_certain_is_read(case: str) -> None:
    text, name, amounts, years, decisions = ACCEPTED[case]
    outcome = check(text, name=name)
    report = outcome.report
    assert (report.status, report.recognised_by, report.format) == ("accepted", "inference", None), asked(report)
    assert (report.amounts, report.fiscal_years, report.decisions) == (amounts, years, decisions)
    assert outcome.accepted["recognised_by"].unique().to_list() == ["inference"]
    assert outcome.accepted["format_id"].unique().to_list() == ["inference"]
    assert report.rows_read == report.rows_accepted + report.rows_rejected + report.rows_ignored
    assert all(column.why for column in report.columns)


HELD = {
    "two awarded amounts": (
        table("Association;Année;Montant accordé;Montant voté", "@;2023;100;90"), "x.csv",
        "Quelle colonne donne le montant accordé",
    ),
    "an amount without a stage": (
        table("Association;Année;Montant", "@;2023;100"), "x.csv", "est-il demandé, accordé ou versé",
    ),
    "a bare amount beside the requested one": (
        table("Association;Année;Montant demandé;Montant", "@;2023;500;100"), AWARDS, "est-il demandé, accordé",
    ),
    "parts that would have to be added up": (
        table("Association;Année;Subvention fonctionnement;Subvention investissement", "@;2023;100;20"), AWARDS,
        "S'il faut les",
    ),
    "a part beside the awarded amount": (
        table("Association;Année;Montant accordé;Complément", "@;2023;100;50"), AWARDS, "demandés, accordés, versés",
    ),
    "two candidate parties": (
        table("Association;Porteur de projet;Année;Montant accordé", "@;Mairie de @;2023;100"), "x.csv",
        "Quelle colonne donne le nom du demandeur",
    ),
    "an « attributaire » alone": (
        table("Attributaire;Année;Montant accordé", "@;2023;100"), "x.csv", "les demandeurs ou les financeurs",
    ),
    "a funder under an unknown title": (
        table("Entité;Bénéficiaire;Année;Montant accordé", "Ville de X;@;2023;100", "Département Y;@;2023;100"),
        "x.csv", "dit-elle qui est le financeur",
    ),
    "a word that means two things": (
        table("Association;Année;Montant accordé;Statut", "@;2023;100;Accordée", "@;2023;;Rejetée"), "x.csv",
        "Que veut dire « Rejetée »",
    ),
    "an unknown word": (
        table("Association;Année;Montant accordé;Statut", "@;2023;100;Accordée", "@;2023;;Vu en bureau"), "x.csv",
        "Que veut dire « Vu en bureau »",
    ),
    "a blank decision": (
        table("Association;Année;Montant accordé;Statut", "@;2023;100;Accordée", "@;2023;;"), "x.csv",
        "Que veut dire une case vide",
    ),
    "a refusal with money": (
        table("Association;Année;Montant accordé;Statut", "@;2023;100;Accordée", "@;2023;80;Refusée"), "x.csv",
        "faut-il croire",
    ),
    "refusals in a column nobody announced": (
        table("Association;Année;Montant accordé;Observations", "@;2023;100;", "@;2023;100;Refusé en commission"),
        "x.csv", "La décision (accordée, refusée…) se lit-elle",
    ),
    "a yes or no on the decision": (
        table("Association;Année;Montant accordé;Financée", "@;2023;100;oui", "@;2023;100;non"), "x.csv",
        "La décision (accordée, refusée…) se lit-elle",
    ),
    "zeros": (
        table("Association;Année;Montant accordé", "@;2023;100", "@;2023;0"), AWARDS, "3\u00a0lignes à zéro",
    ),
    "accepted and refused in one list": (
        table("Association;Année;Montant", "@;2023;100"), "subventions accordées et refusées 2023.csv",
        "est-il demandé, accordé ou versé",
    ),
    "no year": (table("Association;Montant accordé", "@;100"), "x.csv", "De quel exercice"),
    "the year of a publication": (
        table("Association;Montant accordé", "@;100"), "subventions 2023-03-15.csv", "De quel exercice",
    ),
    "the year of a finance bill": (
        table("Association;Montant versé", "@;100"), "plf 2012 jaune.csv", "De quel exercice",
    ),
    "two years that disagree": (
        table("Association;Exercice;Montant accordé", "@;2019;100"), AWARDS, "ou l'année 2023",
    ),
    "dates that disagree with the name": (
        table("Association;Date de décision;Montant accordé", "@;12/12/2022;100"), AWARDS, "ou l'année 2023",
    ),
    "thousands of euros": (
        "Montants en milliers d'euros;;\n" + table("Association;Année;Montant accordé", "@;2023;100"), AWARDS,
        "En quelle unité",
    ),
    "thousands of euros above two titles": (
        ";;Montants (k€);\n" + table("Association;Année;Demandé;Accordé", "@;2023;300;100"), AWARDS, "En quelle unité",
    ),
    "amounts of something else, told above two titles": (
        ";;Garanties d'emprunt;\n" + table("Association;Année;Début;Accordé", "@;2023;a;100"), AWARDS,
        "Que sont les montants de « Accordé »",
    ),
    "thousands of euros in the title": (
        table("Association;Année;Montant accordé (k€)", "@;2023;100"), AWARDS, "En quelle unité",
    ),
    "a loan among grants": (
        table("Association;Année;Montant accordé;Type", "@;2023;100;Subvention", "@;2023;100;Avance remboursable"),
        AWARDS, "prêts ou des garanties",
    ),
    "a list of guarantees": (
        table("Bénéficiaire;Année;Montant accordé", "@;2023;100"), "garanties d'emprunt 2023.csv", "des prêts ou des",
    ),
    "a total that is wrong": (
        table("Association;Année;Montant accordé", "@;2023;100") + "TOTAL;;900\n", AWARDS, "Un total du fichier",
    ),
    "a total of something among the names": (
        table("Association;Année;Montant accordé", "@;2023;100") + "Total sport;2023;90\n", AWARDS, "total",
    ),
    "a total that bears a name": (
        table("Association;Année;Montant accordé", "@;2023;100") + "Ville d'Essai;2023;600\n", AWARDS, "un total",
    ),
    "titles of sections": (
        table("Association;Montant accordé", "@;100") + "SPORT;\n" + "A.S. d'Essai;50\n", AWARDS, "sans montant",
    ),
    "names on the first line only": (
        table("Association;Action;Année;Montant accordé", "@;a;2023;100", ";b;2023;50"), AWARDS,
        "Le nom du demandeur manque",
    ),
    "two titles alike": (
        table("Association;Année;Montant accordé;Montant accordé", "@;2023;100;90"), AWARDS, "Quelle colonne donne",
    ),
    "first names": (
        table("Nom;Prénom;Année;Montant accordé", "Dupont;Jean;2023;100"), AWARDS, "sont-ils des particuliers",
    ),
    "a comma that cuts amounts": (
        "Association,Année,Montant accordé,Objet\n" + "".join(f"{n},2023,1 250,50,x\n" for n in NAMES), AWARDS,
        "plus de cases que de titres",
    ),
    "more asked than given, the other way round": (
        table("Association;Année;Montant demandé;Montant accordé", "@;2023;100;500"), AWARDS, "inversées",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", HELD)
def test_what_is_not_certain_is_held_with_its_question(case: str) -> None:
    text, name, question = HELD[case]
    outcome = check(text, name=name)
    assert outcome.report.status == "held"
    assert question in asked(outcome.report), asked(outcome.report)
    assert outcome.report.rows_accepted == 0
    assert outcome.accepted.is_empty()
    assert outcome.report.recognised_by == "none"


@pytest.mark.parametrize("text", ["a;b\n1;2\n", "Bonjour\n", "x;y;z\n" + "1;2;3\n" * 9, "Nom;Prénom;Âge\nA;B;3\n" * 4])
def test_what_is_no_list_of_grants_is_refused(text: str) -> None:
    assert check(text, name="x.csv").report.status == "refused"


@pytest.mark.parametrize("case", ACCEPTED)
def test_the_proposed_file_reads_the_same(case: str, tmp_path: Path) -> None:
    text, name, *_ = ACCEPTED[case]
    first = check(text, name=name)
    assert first.report.proposed_format is not None
    (tmp_path / "nouveau.toml").write_text(first.report.proposed_format, encoding="utf-8")
    saved = load_format(tmp_path / "nouveau.toml")
    origin = Origin("d", "ville-d-essai", name, FunderFile())
    again = check_file(text.encode(), origin, formats={**load_formats(), "nouveau": saved})
    assert (again.report.format, again.report.recognised_by) == ("nouveau", "format")
    told = pl.exclude("format_id", "recognised_by")
    assert again.accepted.select(told).equals(first.accepted.select(told))
    assert again.report.amounts == first.report.amounts


@pytest.mark.parametrize("name", list(load_formats()))
def test_formats_without_details_are_written_and_read_again(name: str, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.toml"
    path.write_text(format_toml(load_formats()[name]), encoding="utf-8")
    assert load_format(path) == load_formats()[name]


def test_sheets_of_the_same_titles_are_read_together_and_others_asked() -> None:
    year = table("Association;Montant accordé", "@;100")
    origin = Origin("d", "ville-d-essai", "subventions.xlsx", FunderFile())
    both = check_file(workbook(**{"2021": year, "2022": year.replace("100", "300")}), origin).report
    assert (both.status, both.fiscal_years, both.amounts) == ("accepted", [2021, 2022], {"awarded": "2400.00"})
    other = table("Bénéficiaire;Subvention votée", "@;100")
    assert "Faut-il lire aussi" in asked(check_file(workbook(**{"2021": year, "2022": other}), origin).report)


def test_the_funder_may_be_declared_or_unknown() -> None:
    text = table("Association;Montant accordé", "@;100")
    declared = check(text, name="x.csv", fiscal_year=2020).report
    assert (declared.status, declared.fiscal_years) == ("accepted", [2020])
    nobody = check_file(text.encode(), Origin("d", "", AWARDS, FunderFile())).report
    assert nobody.status == "accepted"
    assert any("financeur" in message for message in nobody.messages)


@pytest.mark.parametrize("name", [AWARDS, "subventions.csv"])
def test_the_receipt_shows_the_proposed_format_and_the_meanings(name: str) -> None:
    report = check(table("Association;Coût total;Montant accordé", "@;900;100"), name=name).report
    page = render(report, as_of=date(2026, 11, 1))
    assert report.proposed_format is not None
    assert escape(report.proposed_format) in page
    assert "Format proposé" in page
    assert "Montant accordé, d’après son titre" in page
    assert (report.status == "accepted") == (name == AWARDS)


def test_personal_values_never_show() -> None:
    text = table("Association;Année;Montant accordé;Statut", "@;2023;100;Accordée", "@;2023;;jean.dupont@example.org")
    report = check(text, name="x.csv").report
    assert "jean.dupont" not in report.to_json() + (report.proposed_format or "") + asked(report)


@pytest.mark.parametrize(
    ("title", "kind", "name"),
    [("Montant (demandé)", "field", "amount_requested"), ("MONTANT (en €)", "amount", ""),
     ("Subventions accordées en 2023*", "field", "amount_awarded"), ("nomBeneficiaire", "field", "applicant_name"),
     ("Nom_de_l'Association", "field", "applicant_name"), ("N° SIRET", "id", ""), ("Attributaire", "name", "")],
)  # fmt: skip
def test_titles(title: str, kind: str, name: str) -> None:
    meaning = read_title(title).meaning
    assert meaning is not None
    assert (meaning.kind, meaning.name) == (kind, name)


def test_the_table_is_whole() -> None:
    assert len(meanings()) > 300  # and no title stands in two places, else it raises
    words = load_synonyms()
    assert not {w for listed in words.statuses.values() for w in listed} & set(words.unclear)
    assert read_title("Montant (k€)").meaning == read_title("Montant").meaning  # in which unit is asked


TITLES = st.sampled_from(
    ["Association", "Bénéficiaire", "Nom", "SIRET", "Montant", "Montant accordé", "Montant demandé", "Subvention 2023",
     "Montant versé", "Année", "Exercice", "Date de décision", "Statut", "Objet", "Total", "N° dossier", "Nature",
     "Service", "Financeur", "", "\x00", "Prénom", "Montant (accordé)", "Complément"]
)  # fmt: skip
CELLS = st.one_of(
    st.sampled_from(["", "100", "1 500,00 €", "2023", "Association Les Amis", "Accordée", "Refusée", "12/03/2023", "0",
                     "52499120500013", "TOTAL", "oui", "Ville de X", "-"]),
    st.text(max_size=12),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_never_raises_on_any_table(data: st.DataObject) -> None:
    width = data.draw(st.integers(1, 7))
    rows = [data.draw(st.lists(TITLES, min_size=width, max_size=width))]
    rows += data.draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=9))
    quoted = "\n".join(";".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows)
    report = check(quoted.replace("\x00", "") + "\n").report
    assert report.rows_read == report.rows_accepted + report.rows_rejected + report.rows_ignored
    if report.status == "held":
        assert report.questions or report.messages


AWARD_TITLES = ("Montant accordé", "Montant attribué", "Subvention votée", "Montant", "Subvention", "Montant octroyé",
                "Subvention exceptionnelle", "Aide", "Montant 2022", "Total des aides", "Acompte",
                "Part de la Ville en €")  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from(AWARD_TITLES), min_size=2, max_size=3, unique=True),
    st.lists(st.lists(st.integers(1, 40).map(lambda n: 50 * n), min_size=3, max_size=3), min_size=4, max_size=6),
)
def test_never_accepts_rival_amounts(titles: list[str], amounts: list[list[int]]) -> None:
    columns = list(zip(*amounts, strict=True))[: len(titles)]
    if len(set(columns)) < len(columns):
        return  # two columns that say the same are no rivals
    lines = [";".join([NAMES[i], "2023", *map(str, row[: len(titles)])]) for i, row in enumerate(amounts)]
    report = check("\n".join([";".join(["Association", "Année", *titles]), *lines]) + "\n").report
    assert report.status == "held"
    assert report.questions


BIG = 300_000  # bytes


def real(folder: Path, *, big: bool) -> list[Path]:
    files = (p for p in sorted(folder.rglob("*")) if p.is_file() and p.suffix in {".csv", ".xlsx", ".xls", ".ods"})
    return [path for path in files if (path.stat().st_size > BIG) == big]


@pytest.mark.parametrize("big", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_real_files_without_their_format(real_files: Path, big: bool) -> None:
    """Each real file is read with its own format hidden: what is accepted is what the format says, to the cent."""
    wrong, told = [], []
    for path in real(real_files, big=big):
        content, origin = path.read_bytes(), Origin("d", path.parent.name, path.name, FunderFile())
        true = check_file(content, origin)
        hidden = {name: format_ for name, format_ in load_formats().items() if name != true.report.format}
        found = check_file(content, origin, formats=hidden)
        told.append(
            f"{path.relative_to(real_files).as_posix()[-62:]:62} {true.report.format!s:28} {found.report.status}"
        )
        if found.report.status == "accepted" and essentials(found) != essentials(true):
            wrong.append(path.name)
    print("\n" + "\n".join(told))
    assert not wrong


def essentials(outcome: Outcome) -> tuple[object, ...]:
    report, lines = outcome.report, outcome.accepted
    told = lines.select(
        "source_row", "fiscal_year", "applicant_name", "funder_name", "decision_status", "amount_awarded", "amount_paid"
    )
    return report.rows_accepted, report.amounts, report.fiscal_years, report.decisions, told.rows()


def test_inference_alone_says_what_it_took_each_column_for() -> None:
    text = table("Association;Objet;Montant accordé;Inconnue", "@;colis;100;x")
    reading = read_file(text.encode(), name=AWARDS)
    inferred = infer(reading.members[0], Origin("d", "ville", AWARDS, FunderFile()))
    assert inferred is not None
    assert inferred.questions == []
    assert [(m.header, m.field) for m in inferred.meanings] == [
        ("Association", "applicant_name"), ("Objet", "title"), ("Montant accordé", "amount_awarded"),
        ("Inconnue", None),
    ]  # fmt: skip
    assert all(meaning.why for meaning in inferred.meanings)


def test_a_personal_value_in_a_title_is_not_in_the_proposed_format() -> None:
    report = check(table("Association;Montant accordé;Statut jean@exemple.org", "@;100;Accordée")).report
    seen = render(report, as_of=date(2026, 1, 1)) + str(report)
    assert "jean@exemple.org" not in seen


PLAIN = {
    "an opinion beside the decision": (
        table("Association;Année;Montant demandé;Avis du comité;Décision;Montant accordé",
              "@;2023;500;Favorable;Accordée;300", "@;2023;400;Favorable;Refusée;"), "x.csv",
        {"requested": "2700.00", "awarded": "900.00"},
    ),
    "a year without any amount yet": (
        table("Association;2022;2023;2024", "@;100;200;"), "subventions versées.csv", {"paid": "1800.00"},
    ),
    "last year's amount as a reminder": (
        table("Associations;Subvention 2022;Vote 2023", "@;90;100"), "subventions votées 2023.csv",
        {"awarded": "600.00"},
    ),
    "a label that is the grant's": (
        table("Tiers;Libellé;Exercice;Montant voté", "@;Subv. fonct.;2023;100"), "x.csv", {"awarded": "600.00"},
    ),
    "abbreviations": (
        table("Bénéficiaire;Exercice;Subv. votée;Mt versé", "@;2023;100;80"), "x.csv",
        {"awarded": "600.00", "paid": "480.00"},
    ),
    "the list of a prefecture, without a participle": (
        table("Maître d'ouvrage;Intitulé du projet;Montant de la subvention DETR", "@;Travaux;100"),
        "DETR - programmation 2023.csv", {"awarded": "600.00"},
    ),
    "payment orders of grants": (
        table("Exercice;N° mandat;Date du mandat;Bénéficiaire;Montant TTC", "2023;1;12/03/2023;@;100"),
        "mandats de subventions.csv", {"paid": "600.00"},
    ),
    "sections named by their subtotals": (
        (
            "Association;Objet;Montant accordé\nSport;;\nJudo;x;100\nFoot;x;50\nSous-total Sport;;150\n"
            "Culture;;\nLivres;x;20\nSous-total Culture;;20\nTOTAL;;170\n"
        ), AWARDS, {"awarded": "170.00"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", PLAIN)
def test_what_any_clerk_would_answer_is_not_asked(case: str) -> None:
    text, name, amounts = PLAIN[case]
    report = check(text, name=name).report
    assert (report.status, report.amounts) == ("accepted", amounts), asked(report)
    assert report.rows_read == report.rows_accepted + report.rows_rejected + report.rows_ignored


ASKED_WELL = {
    "funders as columns": (
        table("Porteur;Action;Etat;Région;CAF;Ville", "@;x;500;100;150;2000"), "programmation 2023.csv",
        "ce qu'un financeur apporte",
    ),
    "years by their distance": (table("Association;N-1;N", "@;100;150"), "subventions.csv", "« N-1 »"),
    "one unknown column beside the names": (table("Association;BP 2025", "@;1500"), "budget.csv", "« BP 2025 »"),
    "people, and an amount": (table("NOM PRENOM;Montant", "@;100"), "aides.csv", "sont-ils des particuliers"),
    "people, by name and first name": (
        table("Nom;Prénom;Adresse;Montant accordé;Année", "@;Jean;rue;100;2023"), "aides.csv",
        "sont-ils des particuliers",
    ),
    "a refusal written as an amount": (
        table("Association;Montant accordé", "@;100", "@;Refus"), AWARDS, "ne contient pas que des montants",
    ),
    "payment orders of anything": (
        table("Exercice;N° mandat;Date du mandat;Bénéficiaire;Montant TTC", "2023;1;12/03/2023;@;100"), "mandats.csv",
        "demandé, accordé ou versé",
    ),
    "two sheets' worth of years": (
        table("Association;Subvention 2024;Montant accordé", "@;90;100"), "subventions votées 2023.csv",
        "« Subvention 2024 »",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", ASKED_WELL)
def test_the_question_is_the_one_to_ask(case: str) -> None:
    text, name, words = ASKED_WELL[case]
    outcome = check(text, name=name)
    assert (outcome.report.status, outcome.accepted.height) == ("held", 0)
    assert words in asked(outcome.report)
    numbers = [question for question in outcome.report.questions if "Que veut dire « 1" in question]
    assert not numbers, "amounts are no words of a decision"


def test_names_of_people_are_seen_nowhere() -> None:
    text = "NOM PRENOM;Adresse;Montant\n" + "".join(f"QUIDAM{n} Zébulon;{n} rue d'Essai;100\n" for n in range(6))
    outcome = check(text, name="aides.csv")
    seen = render(outcome.report, as_of=date(2026, 1, 1)) + str(outcome.report)
    assert outcome.report.status == "held"
    assert "QUIDAM" not in seen
    assert "rue d'Essai" not in seen


def test_a_file_of_personal_data_alone_is_refused_and_told_so() -> None:
    report = check("Téléphone;E-mail;Adresse\n0612345678;a@exemple.org;1 rue\n", name="contacts.csv").report
    assert report.status == "refused"
    assert "surtout des données personnelles" in report.messages[0]
    assert all(title in report.messages[0] for title in ("Téléphone", "E-mail", "Adresse"))


def test_a_subtotal_that_is_wrong_is_still_asked() -> None:
    text = "Association;Objet;Montant accordé\nSport;;\nJudo;x;100\nFoot;x;50\nSous-total Sport;;170\n"
    assert "Un total du fichier" in asked(check(text).report)


@pytest.mark.parametrize("wrapped", [True, False])
def test_records_of_a_portal_are_read_by_their_own_titles(wrapped: bool) -> None:
    lines = [{"exercice": 2023, "beneficiaire": name, "montant_vote": 100} for name in NAMES]
    records = [{"recordid": str(n), "fields": line} for n, line in enumerate(lines)] if wrapped else lines
    content = json.dumps({"nhits": 6, "records": records}).encode()
    report = check_file(content, Origin("d", "ville-d-essai", "export.json", FunderFile())).report
    assert (report.status, report.amounts) == ("accepted", {"awarded": "600.00"})
    assert [column.header for column in report.columns] == ["exercice", "beneficiaire", "montant_vote"]


@pytest.mark.parametrize(
    ("currencies", "status"),
    [(("EUR",), "accepted"), (("euros", "€"), "accepted"), (("EUR", "dollars"), "held"), (("EUR", "CHF"), "accepted")],
)
def test_a_currency_that_no_code_tells_is_asked(currencies: tuple[str, ...], status: str) -> None:
    cells = [f"@;2023;{1000 + 7 * n};{currency}" for n, currency in enumerate(currencies)]
    report = check(table("Bénéficiaire;Année;Montant accordé;Devise", *cells), name="subventions accordées.csv").report
    assert report.status == status, report.questions
    assert ("monnaie" in asked(report)) == (status == "held")


def test_one_column_that_adds_up_the_others_is_the_amount() -> None:
    text = table("Association;Année;Fonctionnement;Investissement;Total", "@;2023;100;50;150", "@;2023;200;;200")
    report = check(text, name="subventions versées.csv").report
    assert (report.status, report.amounts) == ("accepted", {"paid": "1050.00"})
    assert [c.field for c in report.columns if c.header in ("Fonctionnement", "Investissement")] == [None, None]


def test_a_column_that_does_not_add_up_the_others_is_asked() -> None:
    text = table("Association;Année;Fonctionnement;Investissement;Total", "@;2023;100;50;150", "@;2023;200;;210")
    assert "« Total »" in asked(check(text, name="subventions versées.csv").report)


def test_what_funders_bring_together_is_no_grant_of_one_of_them() -> None:
    text = table("Association;Année;CAF;MSA;Total", "@;2023;1000;500;1500")
    assert "ce qu'un financeur apporte" in asked(check(text, name="subventions versées.csv").report)


def test_rows_that_title_those_below_beside_the_names_are_no_lines() -> None:
    titles = "Article;Subventions;Organisme bénéficiaire;Montant accordé"
    lines = ["Investissement;;;", *(f"204;biens;{name};100" for name in NAMES[:3]), "Fonctionnement;;;"]
    lines += [f"657;courant;{name};200" for name in NAMES[3:]]
    outcome = check("\n".join([titles, *lines]) + "\n", name="subventions accordées 2023.csv")
    assert (outcome.report.status, outcome.report.amounts) == ("accepted", {"awarded": "900.00"})
    assert outcome.report.rows_ignored == 2
    assert outcome.accepted["purpose"].to_list() == ["investment"] * 3 + ["operating"] * 3


def test_an_amount_of_last_year_beside_a_request_is_no_award_of_this_year() -> None:
    text = table("Association;Subvention 2023;Demande 2024;Proposition 2024", "@;500;800;600")
    report = check(text, name="propositions 2024.csv").report
    assert report.status == "held"
    assert "après la décision" in asked(report)
    assert [c.why for c in report.columns if c.header == "Subvention 2023"] == [
        "rappel d'une année antérieure à celle de la liste : non lu"
    ]


@pytest.mark.parametrize("label", ["Total Sport", "Ensemble", "S/Total", "Montant total", "Cumul 2023", ""])
def test_a_row_that_adds_up_the_others_is_no_line_whatever_it_is_called(label: str) -> None:
    text = table("Association;Montant accordé;Année", "@;100;2023", "@;250,50;2023") + f"{label};1051,50;\n"
    report = check(text, name="x.csv").report
    assert (report.status, report.amounts) == ("accepted", {"awarded": "1051.50"})
    assert (report.rows_read, report.rows_accepted, report.rows_ignored) == (7, 6, 1)


def test_a_party_whose_name_begins_as_a_total_is_a_line() -> None:
    text = table("Association;Montant accordé;Année", "@;100;2023") + "Ensemble vocal;300;2023\nCumul;90;2023\n"
    report = check(text, name="x.csv").report
    assert (report.status, report.rows_accepted, report.amounts) == ("accepted", 8, {"awarded": "990.00"})
    asking = check(text.replace("Cumul;", "Total Danse;"), name="x.csv").report  # a name, perhaps
    assert "est-elle un total" in asked(asking)


def test_a_first_column_without_title_that_counts_the_lines_says_nothing() -> None:
    lines = [f"{i},{name},2023,{(i + 1) * 100}" for i, name in enumerate(NAMES)]
    report = check("\n".join([",Association,Année,Montant accordé", *lines]) + "\n", name="x.csv").report
    assert (report.status, report.amounts) == ("accepted", {"awarded": "2100.00"}), asked(report)


def test_a_row_that_explains_the_titles_is_no_line() -> None:
    text = table("Association;Date de décision;Montant accordé", "@;2023-05-02;100")
    text = text.replace("\n", "\nnom;AAAA-MM-JJ;en €\n", 1)
    report = check(text, name="x.csv").report
    assert (report.status, report.rows_accepted, report.rows_ignored) == ("accepted", 6, 1), asked(report)


def test_a_first_line_without_figures_is_no_explanation() -> None:
    text = "Association;Montant demandé;Montant accordé;Année\nAmis;-;refusé;2023\n" + "Club;100;50;2023\n" * 3
    report = check(text, name="x.csv").report
    assert (report.status, report.rows_ignored) == ("held", 0)
    assert "« refusé »" in asked(report) or "montants" in asked(report)


def test_amounts_too_small_for_grants_may_be_thousands() -> None:
    report = check(table("Association;Année;Montant accordé", "@;2023;12,5", "@;2023;0,8"), name="x.csv").report
    assert report.status == "held"
    assert "en milliers d'euros" in asked(report)


def test_provisions_are_nobody() -> None:
    text = table("Association;Année;Montant accordé", "@;2023;100") + "Provision pour manifestations;2023;900\n"
    assert "« Provision pour manifestations »" in asked(check(text, name="x.csv").report)


def test_a_title_in_two_languages_says_what_its_known_half_says() -> None:
    meaning = read_title("Nom du bénéficiaire / Beneficiary name").meaning
    assert meaning is not None
    assert meaning.name == "applicant_name"
    assert read_title("Objet / Bénéficiaire").meaning is None
    assert read_title("Montant accordé / avance").meaning is None


@pytest.mark.parametrize("before", ["", ";"], ids=["among the names", "before them"])
def test_a_title_that_says_refused_is_no_theme_of_awards(before: str) -> None:
    titles = "Association;Montant accordé" if not before else "N°;Association;Montant accordé"
    lines = [f"{i}{before}{name};100" if before else f"{name};100" for i, name in enumerate(NAMES)]
    lines.insert(3, "Demandes refusées;" + before)
    report = check("\n".join([titles, *lines]) + "\n", name="subventions accordées 2023.csv").report
    assert report.status == "held"
    assert "« Demandes refusées » dit-il" in asked(report)
    assert not [question for question in report.to_choose if "sans montant" in question.text]


def both(**sheets: list[tuple[str, int]]) -> Outcome:
    texts = {
        name: "\n".join(
            [
                "Association;Objet;Montant accordé",
                *(f"{who};{i if name == 'Détail' else ''};{much}" for i, (who, much) in enumerate(lines)),
            ]
        )
        for name, lines in sheets.items()
    }
    return check_file(workbook(**texts), Origin("d", "essai", "subventions accordées 2023.xlsx", FunderFile()))


def test_a_sheet_that_adds_up_another_by_party_is_not_counted_too() -> None:
    detail = [(name, 100 * (i + 1) + k) for i, name in enumerate(NAMES) for k in range(2)]
    sums = [(name, sum(much for who, much in detail if who == name)) for name in NAMES]
    outcome = both(Ensemble=sums, Détail=detail)
    assert outcome.report.amounts == {"awarded": str(sum(much for _, much in detail)) + ".00"}
    assert "répète la feuille « Détail »" in asked(outcome.report)
    others = both(Autres=[(who, much + 5) for who, much in sums], Détail=detail)
    assert others.report.rows_accepted == 18


def test_lines_that_add_up_those_of_their_party_are_asked() -> None:
    lines = [(name, much) for i, name in enumerate(NAMES) for much in (300 + 2 * i, 100 + i, 200 + i)]
    text = "\n".join(
        ["Association;Objet;Montant accordé", *(f"{who};{i};{much}" for i, (who, much) in enumerate(lines))]
    )
    report = check(text + "\n", name="subventions accordées 2023.csv").report
    assert report.status == "held"
    assert "une ligne est la somme des autres" in asked(report)


def test_what_each_funder_brings_under_its_own_title_is_one_question() -> None:
    text = "Porteur;Année;CAF;;Ville;\n;;Demandé;Accordé;Demandé;Accordé\n"
    text += "".join(f"{name};2023;9000;5000;8000;4000\n" for name in NAMES)
    report = check(text, name="programmation 2023.csv").report
    assert report.status == "held"
    assert len(report.questions) == 1, asked(report)
    assert "« CAF Accordé » (colonne D)" in asked(report)
    assert "« Ville Accordé » (colonne F)" in asked(report)


def repeated(titles: str, *ends: str) -> str:
    return "\n".join([titles, *(f"{name};2023;{500 + i};{end}" for i, name in enumerate(NAMES) for end in ends)]) + "\n"


def test_a_grant_told_once_for_each_payment_is_not_counted_on_each() -> None:
    titles = "Association;Année;Montant total accordé;Date de versement;Montant versé"
    report = check(repeated(titles, "2023-03-01;250", "2023-09-01;251"), name="suivi 2023.csv").report
    assert report.status == "held"
    assert "seul change ce que dit « Date de versement » (colonne D)" in asked(report)
    assert report.to_choose


def test_a_grant_told_once_for_each_place_is_asked() -> None:
    report = check(repeated("Association;Année;Montant accordé;Quartier", "Nord", "Sud"), name="x.csv").report
    assert "« Quartier » (colonne D)" in asked(report)


@pytest.mark.parametrize(
    "text",
    [
        repeated("Association;Année;Montant accordé;Objet", "colis", "ateliers"),
        repeated("Association;Année;Montant versé;N° mandat", "1", "2"),
        repeated("Association;Année;Montant accordé;Canton", "Nord", "Nord"),
    ],
    ids=["what is read tells them apart", "payments", "alike in everything"],
)
def test_lines_that_are_grants_of_their_own_are_counted(text: str) -> None:
    report = check(text, name="subventions 2023.csv").report
    assert (report.status, report.rows_accepted) == ("accepted", 12)
