"""A question answered from a list, in a small workbook saved beside the file, which is then read without a change."""

from __future__ import annotations

import io
import json
from datetime import date
from typing import TYPE_CHECKING

import openpyxl
import polars as pl
import pytest

from pipelines.ingest.check import check_file
from pipelines.ingest.deposit import look, look_beside
from pipelines.ingest.inbox import ingest
from pipelines.ingest.normalise import Origin
from pipelines.ingest.questionnaire import is_questionnaire, read_answers
from schemas.funder import Answer, FunderFile

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from pipelines.ingest.deposited import Deposit
    from pipelines.ingest.report import Report

AS_OF = date(2026, 1, 1)
CAMPAIGN = (
    "Association;Montant sollicité;Décision;Montant attribué\n"
    "Les Amis;5000;Retenu;3000\n"
    "Épicerie solidaire;8000;Non retenu;0\n"
    "Foyer rural;2500;Retenu;2000\n"
    "Club;900;;\n"
)


def rows(titles: str, *cells: str) -> str:
    """A line for each of `cells`, that begins with a name."""
    names = ("Le club", "Le foyer", "La halle")
    return "\n".join([titles, *(f"{name};{rest}" for name, rest in zip(names, cells, strict=True))]) + "\n"


def ask(text: str, *answers: Answer, name: str = "campagne 2024.csv") -> Report:
    return check_file(text.encode(), Origin("d", "essai", name, FunderFile(answers=answers))).report


def chosen(report: Report, said: Mapping[str, str]) -> list[Answer]:
    """The answers to the questions of `report`, by a word of each."""
    found = [
        Answer(about=question.about or "", answer=code)
        for question in report.to_choose
        for word, code in said.items()
        if word in question.text
    ]
    assert len(found) == len(report.to_choose), [question.text for question in report.to_choose]
    return found


def run(root: Path) -> list[Deposit]:
    return ingest(root / "raw", root / "warehouse", as_of=AS_OF).deposits


def drop(root: Path, name: str, text: str) -> None:
    (root / "raw" / "essai").mkdir(parents=True, exist_ok=True)
    (root / "raw" / "essai" / name).write_text(text, encoding="utf-8")


def fill(source: Path, target: Path, said: Mapping[str, object]) -> None:
    """Choose, as an agent would, the answer of each question that holds a word of `said`."""
    book = openpyxl.load_workbook(source)
    page = book.worksheets[0]
    for row in page.iter_rows(min_row=7):
        for word, answer in said.items():
            if word in str(row[1].value):
                row[2].value = answer
    book.save(target)


def questions(root: Path) -> list[Path]:
    return sorted((root / "raw" / "essai" / "_accuses").glob("QUESTIONS-*"))


SAID = {"Non retenu": "refusée", "«\u00a0Retenu": "accordée", "case vide": "en instruction"}


def test_answers_chosen_from_lists_let_the_file_be_read_as_it_is(tmp_path: Path) -> None:
    drop(tmp_path, "campagne 2024.csv", CAMPAIGN)
    [held] = run(tmp_path)
    assert held.report.status == "held"
    [workbook] = questions(tmp_path)
    assert held.receipt is not None
    assert workbook.name in held.receipt.read_text(encoding="utf-8")
    fill(workbook, tmp_path / "raw" / "essai" / workbook.name, SAID)
    [read] = run(tmp_path)
    assert read.report.status == "accepted", read.report.questions
    assert read.report.decisions == {"awarded": 2, "pending": 1, "refused": 1}
    assert questions(tmp_path) == []  # nothing is asked any more
    lines = pl.read_parquet(read.staging / "accepted.parquet")
    assert lines["amount_awarded"].sum() == 5000


def test_the_answers_serve_for_the_same_list_of_another_year_only(tmp_path: Path) -> None:
    drop(tmp_path, "campagne 2024.csv", CAMPAIGN)
    run(tmp_path)
    [workbook] = questions(tmp_path)
    fill(workbook, tmp_path / "raw" / "essai" / workbook.name, SAID)
    drop(tmp_path, "campagne 2025.csv", CAMPAIGN.replace("Foyer", "Autre foyer"))
    drop(tmp_path, "candidatures 2025.csv", CAMPAIGN.replace("Foyer", "Troisième foyer"))
    assert {d.file_name: d.report.status for d in run(tmp_path)} == {
        "campagne 2024.csv": "accepted",
        "campagne 2025.csv": "accepted",
        "candidatures 2025.csv": "held",
    }


def test_a_file_outside_of_any_folder_is_answered_beside_it(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "campagne 2024.csv").write_text(CAMPAIGN, encoding="utf-8")
    assert run(tmp_path)[0].report.status == "held"
    [workbook] = (tmp_path / "raw" / "_accuses").glob("QUESTIONS-*")
    fill(workbook, tmp_path / "raw" / workbook.name, SAID)
    assert run(tmp_path)[0].report.decisions == {"awarded": 2, "pending": 1, "refused": 1}


def test_taken_away_the_answers_hold_no_more(tmp_path: Path) -> None:
    drop(tmp_path, "campagne 2024.csv", CAMPAIGN)
    run(tmp_path)
    [workbook] = questions(tmp_path)
    answered = tmp_path / "raw" / "essai" / workbook.name
    fill(workbook, answered, SAID)
    assert run(tmp_path)[0].report.status == "accepted"
    answered.unlink()
    assert run(tmp_path)[0].report.status == "held"


def test_an_answer_out_of_the_list_is_told(tmp_path: Path) -> None:
    drop(tmp_path, "campagne 2024.csv", CAMPAIGN)
    run(tmp_path)
    [workbook] = questions(tmp_path)
    fill(workbook, tmp_path / "raw" / "essai" / workbook.name, {**SAID, "Non retenu": "peut-être"})
    [held] = run(tmp_path)
    assert held.report.status == "held"
    assert "« peut-être » n'est pas dans la liste" in " ".join(held.report.messages)


def test_a_questionnaire_changed_elsewhere_than_in_its_answers_is_told(tmp_path: Path) -> None:
    drop(tmp_path, "campagne 2024.csv", CAMPAIGN)
    run(tmp_path)
    [workbook] = questions(tmp_path)
    target = tmp_path / "raw" / "essai" / workbook.name
    fill(workbook, target, SAID)
    book = openpyxl.load_workbook(target)
    book.worksheets[0]["D7"] = '{"about": '
    book.save(target)
    [held] = run(tmp_path)
    assert held.report.status == "held"
    assert "modifié hors de la colonne C" in " ".join(held.report.messages)


def test_only_our_workbook_is_taken_for_answers(tmp_path: Path) -> None:
    """A file of that name that is not ours is a deposit like any other, and the answers are no deposit."""
    drop(tmp_path, "campagne 2024.csv", CAMPAIGN)
    run(tmp_path)
    [workbook] = questions(tmp_path)
    folder = tmp_path / "raw" / "essai"
    fill(workbook, folder / workbook.name, SAID)
    (folder / "QUESTIONS-autre-12345678.xlsx").write_bytes(b"PK, or nearly")
    assert [file.name for file in look(tmp_path / "raw")] == ["QUESTIONS-autre-12345678.xlsx", "campagne 2024.csv"]
    assert [file.name for file in look_beside(tmp_path / "raw")] == [workbook.name]


def test_the_workbook_holds_no_line_of_the_file_and_is_the_same_at_every_run(tmp_path: Path) -> None:
    drop(tmp_path, "campagne 2024.csv", CAMPAIGN)
    run(tmp_path)
    [workbook] = questions(tmp_path)
    before = workbook.read_bytes()
    run(tmp_path)
    assert workbook.read_bytes() == before
    cells = [str(c.value) for row in openpyxl.load_workbook(workbook).worksheets[0].iter_rows() for c in row if c.value]
    assert not any(name in cell for cell in cells for name in ("Les Amis", "Épicerie", "Foyer", "3000"))
    assert is_questionnaire(workbook)
    assert read_answers(workbook) == ([], [])


@pytest.mark.parametrize(
    ("text", "name", "said", "expected"),
    [
        (
            rows("Association;Montant accordé", "10", "20", "30"),
            "x.csv",
            {"exercice": "2022"},
            (3, [2022]),
        ),
        (
            rows("Association;Année;Montant", "2023;10", "2023;20", "2023;30"),
            "x.csv",
            {"est-il demandé": "paid"},
            (3, [2023]),
        ),
        (
            rows("Association;2022;2023", "1000;2000", "1500;2500", "1700;"),
            "x.csv",
            {"répartis par année": "awarded"},
            (3, [2022, 2023]),
        ),
        (
            rows("Association;Année;Montant accordé;Montant voté", "2023;10;9", "2023;20;20", "2023;3;3"),
            "x.csv",
            {"Quelle colonne donne le montant accordé": "montant vote"},
            (3, [2023]),
        ),
        (
            rows("Association;Année;Montant demandé;Montant accordé", "2023;30;10", "2023;20;20", "2023;9;9"),
            "x.csv",
            {"seulement des demandes accordées": "yes"},
            (3, [2023]),
        ),
        (
            rows("Association;Année;Montant accordé;Complément", "2023;10;500", "2023;20;0", "2023;30;0"),
            "subventions accordées.csv",
            {"Complément": "other"},
            (3, [2023]),
        ),
        (
            rows("Attributaire;Année;Montant accordé", "2023;10", "2023;20", "2023;30"),
            "x.csv",
            {"demandeurs ou les financeurs": "applicant"},
            (3, [2023]),
        ),
        (
            rows("Association;Date de décision;Montant accordé", "01/02/2022;1", "01/02/2022;2", "02/02/2022;3"),
            "subventions accordées 2023.csv",
            {"porte le nom": "name"},
            (3, [2023]),
        ),
        (
            rows("Association;Année;Montant accordé", "2023;10", "2023;0", "2023;30"),
            "subventions accordées.csv",
            {"à zéro": "refused"},
            (3, [2023]),
        ),
        (
            rows("Association;Année;Accord;Montant accordé", "2023;Oui;10", "2023;Non;0", "2023;Oui;30"),
            "x.csv",
            {"se lit-elle": "yes", "« Oui": "awarded", "« Non": "refused"},
            (3, [2023]),
        ),
        (
            rows("Association;2022;2023", "1000;2000", "1500;2500", "1700;2900"),
            "subventions accordées 2023.csv",
            {"rappel": "reminder"},
            (3, [2023]),
        ),
        (
            rows("Association;2022;2023", "1000;2000", "1500;2500", "1700;2900"),
            "subventions accordées 2023.csv",
            {"rappel": "read"},
            (3, [2022, 2023]),
        ),
        (
            "Année;Association;Action;Montant accordé\n2023;Club;un;10\n;;deux;20\n2023;Foyer;un;30\n",
            "x.csv",
            {"nom du demandeur manque": "above", "exercice de chaque": "none"},
            (3, [2023]),
        ),
    ],
)
def test_each_kind_of_question_has_its_answer(
    text: str, name: str, said: dict[str, str], expected: tuple[int, list[int]]
) -> None:
    report, answers = ask(text, name=name), []
    assert report.status == "held"
    while report.status == "held" and report.to_choose:  # an answer may raise the next question
        answers += chosen(report, said)
        report = ask(text, *answers, name=name)
    assert (report.status, report.questions) == ("accepted", [])
    assert (report.rows_accepted, report.fiscal_years) == expected


def test_loans_that_the_author_names_are_in_no_grant_total() -> None:
    text = (
        "Bénéficiaire;Année;Montant accordé;Nature\n"
        "Club;2023;100;Subvention\nAtelier;2023;5000;Prêt\nFoyer;2023;200;Subvention\n"
    )
    held = ask(text, name="subventions accordées 2023.csv")
    report = ask(text, *chosen(held, {"Prêt": "loan"}), name="subventions accordées 2023.csv")
    assert report.status == "accepted", report.questions
    assert report.amounts == {"awarded": "300.00"}


def test_two_columns_that_must_be_added_are_never_chosen_between_silently() -> None:
    text = rows("Association;Année;Part A;Part B", "2023;1000,00;50,00", "2023;2000,00;60,00", "2023;3000,00;7,00")
    held = ask(text, name="x.csv")
    report = ask(text, *chosen(held, {"Part A": "awarded", "Part B": "awarded"}), name="x.csv")
    assert report.status == "held"
    assert "Deux colonnes donnent un montant accordé" in "\n".join(report.questions)


def test_a_mailbox_among_the_words_is_neither_asked_nor_kept(tmp_path: Path) -> None:
    text = CAMPAIGN.replace("Non retenu", "voir jeanne.petit@exemple.fr")
    drop(tmp_path, "campagne 2024.csv", text)
    run(tmp_path)
    for workbook in questions(tmp_path):
        cells = [
            c.value for row in openpyxl.load_workbook(io.BytesIO(workbook.read_bytes())).worksheets[0] for c in row
        ]
        assert "jeanne" not in json.dumps(cells, ensure_ascii=False)


YEARS = (
    ";2022;;2023;\n;Demandé;Accordé;Demandé;Accordé\n"
    "Les Amis;900;500;800;\nLe foyer;700;600;400;400\nLa halle;;;300;200\n"
).replace(";2022", "Association;2022", 1)

STAGES = (
    "Association;Demandé;;Accordé;\n;2022;2023;2022;2023\n"
    "Les Amis;900;800;500;\nLe foyer;700;400;600;400\nLa halle;;300;;200\n"
)
"""The same, the other way: the second row of titles holds years alone."""


@pytest.mark.parametrize("table", [YEARS, STAGES], ids=["years over stages", "stages over years"])
def test_years_and_stages_are_read_once_it_is_known_what_no_award_means(table: str) -> None:
    held = ask(table, name="x.csv")
    assert held.status == "held"
    report = ask(table, *chosen(held, {"sans montant accordé": "refused"}), name="x.csv")
    assert (report.status, report.questions) == ("accepted", [])
    assert report.amounts == {"requested": "3100.00", "awarded": "1700.00"}
    assert report.decisions == {"awarded": 4, "refused": 1}


def test_a_lonely_name_may_be_the_title_of_those_below() -> None:
    text = "Association;Montant accordé\nSport;\nClub;100\nCulture;\nChorale;200\nFoyer;300\n"
    held = ask(text, name="subventions accordées 2023.csv")
    report = ask(text, *chosen(held, {"sans montant": "heading"}), name="subventions accordées 2023.csv")
    assert (report.status, report.rows_accepted, report.rows_ignored) == ("accepted", 3, 2)
    assert report.amounts == {"awarded": "600.00"}


def test_zeros_said_to_be_refusals_are_in_no_award() -> None:
    text = rows("Association;Année;Montant accordé", "2023;10", "2023;0", "2023;30")
    held = ask(text, name="x.csv")
    assert ask(text, *chosen(held, {"à zéro": "refused"}), name="x.csv").decisions == {"awarded": 2, "refused": 1}


STATED = (
    "Nom de l'attribuant;Bénéficiaire ;Nom du bénéficiaire;Année de la demande;Statut de la demande;Montant demandé;"
    "Montant accordé\nVille;1;Club;2024;Accordée;900;500\nVille;2;Foyer;2024;Programmée;800;300\n"
    "Ville;3;Halle;2024;Non programmée;700;\n"
)
SCDL = "nomAttribuant;dateConvention;nomBeneficiaire;objet;montant;nature;statut\n"


def scdl(*lines: str) -> str:
    rest = (f"Ville;2024-05-0{i + 1};Club {i};colis;{line}" for i, line in enumerate(lines))
    return SCDL + "\n".join(rest) + "\n"


def test_a_word_that_a_known_format_does_not_know_is_answered_in_the_same_way(tmp_path: Path) -> None:
    drop(tmp_path, "demandes.csv", STATED)
    [asked] = run(tmp_path)
    assert (asked.report.status, asked.report.format) == ("accepted", "scdl-statut")
    assert asked.report.decisions == {"awarded": 1, "unknown": 2}
    [workbook] = questions(tmp_path)
    said = {"«\u00a0Non programmée": "refusée", "«\u00a0Programmée": "accordée"}
    fill(workbook, tmp_path / "raw" / "essai" / workbook.name, said)
    [read] = run(tmp_path)
    assert read.report.decisions == {"awarded": 2, "refused": 1}
    assert read.report.questions == []
    assert questions(tmp_path) == []


def test_a_column_of_decisions_beside_a_known_format_is_read_when_its_words_are_sure() -> None:
    text = scdl("100;aide en numéraire;Attribuée", "0;aide en numéraire;Refusée", "200;aide en numéraire;Attribuée")
    report = ask(text, name="x.csv")
    assert (report.status, report.format, report.questions) == ("accepted", "scdl", [])
    assert report.decisions == {"awarded": 2, "refused": 1}


def test_its_unclear_words_are_asked_one_by_one() -> None:
    text = scdl("100;aide en numéraire;Attribuée", "0;aide en numéraire;Refusée", "200;aide en numéraire;Programmée")
    held = ask(text, name="x.csv")
    assert held.status == "held"
    report = ask(text, *chosen(held, {"Programmée": "pending"}), name="x.csv")
    assert (report.status, report.decisions) == ("accepted", {"awarded": 1, "refused": 1, "pending": 1})


def test_a_refusal_that_bears_an_amount_is_asked_first() -> None:
    text = scdl("100;aide en numéraire;Attribuée", "50;aide en numéraire;Refusée", "200;aide en numéraire;Attribuée")
    held = ask(text, name="x.csv")
    assert held.status == "held"
    assert ask(text, *chosen(held, {"dit-elle": "yes"}), name="x.csv").decisions == {"awarded": 2, "refused": 1}


def test_a_column_that_decides_nothing_is_told_so() -> None:
    text = scdl("100;aide en numéraire;Loi 1901", "50;aide en numéraire;Fondation", "200;aide en numéraire;Loi 1901")
    held = ask(text, name="x.csv")
    assert held.status == "held"
    report = ask(text, *chosen(held, {"dit-elle": "no"}), name="x.csv")
    assert (report.status, report.decisions) == ("accepted", {"awarded": 3})


def test_a_grant_of_a_known_format_told_once_for_each_payment_is_asked() -> None:
    titles = "nomAttribuant;dateConvention;nomBeneficiaire;objet;montant;nature;datesPeriodeVersement\n"
    lines = [
        f"Ville;2024-05-01;Club {i};colis;{500 + i};aide en numéraire;2024-0{month}-01"
        for i in range(6)
        for month in (6, 9)
    ]
    text = titles + "\n".join(lines) + "\n"
    held = ask(text, name="x.csv")
    assert (held.status, held.format) == ("held", "scdl")
    report = ask(text, *chosen(held, {"répétée pour chaque versement": "each"}), name="x.csv")
    assert (report.status, report.rows_accepted) == ("accepted", 12)


def test_what_the_lines_show_may_be_said_to_be_right() -> None:
    text = rows("Association;Année;Montant demandé;Montant accordé;Décision",
                "2023;10;1000;accordée", "2023;20;2000;accordée", "2023;9;500;accordée")  # fmt: skip
    held = ask(text, name="x.csv")
    assert "dépasse le montant demandé" in "\n".join(held.questions)
    answers = chosen(held, {"dépasse": "fine"})
    assert ask(text, *answers, name="x.csv").status == "accepted"
    other = text.replace("2023;9;500", "2023;900;500")  # two lines, and no more three: it is another question
    assert ask(other, *answers, name="x.csv").status == "held"
