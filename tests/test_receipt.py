"""The receipt: one self-contained page, true counts, every place found, nothing from a file taken for markup."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING

import html5lib
import pytest

from pipelines.ingest import french
from pipelines.ingest.receipt import receipt_name, render, write_receipt
from pipelines.ingest.report import ColumnReport, Issue, Report, SheetReport
from schemas.issues import issue_kinds

if TYPE_CHECKING:
    from pathlib import Path

DAY = date(2026, 3, 12)
SHA = "1a2b3c4d" * 8


def issue(code: str, row: int, *, column: str = "F", value: str | None = "12.5OO", sheet: str = "Feuil1") -> Issue:
    kind = issue_kinds()[code]
    message = kind.message.format(value=value, field="Montant accordé", detail="deux lectures")
    return Issue(sheet, row, column, value, code, message, kind.severity, "amount_awarded")


def accepted(name: str = "Subventions 2024.xlsx", **changes: object) -> Report:
    report = Report(
        name, SHA, format="modele", recognised_by="format", status="accepted",
        rows_read=1243, rows_accepted=1240, rows_ignored=3,
        amounts={"requested": "2345678.90", "awarded": "1234567.89"}, headline_stage="awarded", currency="EUR",
        decisions={"awarded": 1180, "refused": 45, "inadmissible": 10, "pending": 5}, fiscal_years=[2022, 2023, 2024],
        sheets=[
            SheetReport("Feuil1", True, "lue", 4, 1243, 1240, 0, 3, {"ligne de total": 2, "titres répétés": 1}),
            SheetReport("Notice", False, "aucune ligne de titres reconnue"),
        ],
        columns=[
            ColumnReport("Feuil1", "A", "N° dossier", "case_number"),
            ColumnReport("Feuil1", "B", "Bénéficiaire", "applicant_name"),
            ColumnReport("Feuil1", "F", "Montant voté en commission permanente", "amount_awarded"),
        ],
        depositor="departement-34", funders=["Département de l'Hérault"],
        filled={"applicant_siret": 1236, "funder_siren": 1240, "amount_requested": 1240, "decided_date": 1240,
                "refusal_reason": 55, "seat_commune_name": 1240, "service_name": 1240, "scheme": 1240, "title": 1240},
    )  # fmt: skip
    for key, value in changes.items():
        setattr(report, key, value)
    return report


def with_issues() -> Report:
    report = accepted(rows_read=1250, rows_rejected=7, natural_persons=12, publishes_refusals=True)
    report.personal_removed = {"téléphone": 3, "adresse électronique": 41}
    report.filled = {"applicant_siret": 180, "applicant_siren": 310, "decided_date": 1240}
    report.sheets[0].rows_read, report.sheets[0].rows_rejected = 1250, 7
    report.columns += [
        ColumnReport("Feuil1", "G", "Avis du bureau", None, "colonne inconnue de ce format"),
        ColumnReport("Feuil1", "H", "", None, "colonne sans titre"),
        ColumnReport("Feuil1", "I", "Courriel", None, "donnée personnelle : non lue"),
    ]
    report.issues = [
        *(issue("amount_unreadable", row, value=f"{row} euros env.") for row in range(12, 18)),
        issue("party_missing", 40, column=None, value=None),  # type: ignore[arg-type]
        *(issue("siret_invalid", row, column="C", value=str(78428050500000 + row)) for row in range(100, 330)),
        *(issue("identifier_repaired", row, column="C", value="7842 805 05") for row in range(30)),
    ]
    return report


def held() -> Report:
    return accepted(
        status="held", recognised_by="inference", format=None,
        questions=["La colonne « Subvention » donne-t-elle le montant accordé ou le montant versé ?"],
        messages=["Deux colonnes peuvent donner le montant : « Subvention » (E) et « Total » (F)."],
    )  # fmt: skip


def refused() -> Report:
    return Report(
        "photo.xlsx", SHA, messages=["Ce fichier est protégé par un mot de passe. Enregistrez-le sans mot de passe."]
    )


def archive() -> Report:
    first = with_issues()
    first.file = "2023/aides.csv"
    second = refused()
    second.file = "2024/aides.xlsx"
    report = accepted(
        "Envoi février.zip", members=[first, second], sheets=[], columns=[], rows_read=1250, rows_rejected=7
    )
    report.sheets = [replace(sheet, name=f"{first.file} · {sheet.name}") for sheet in first.sheets]
    report.sheets += [SheetReport("lisez-moi.txt", False, "n'est pas un tableau")]
    report.issues = [replace(one, sheet=f"{first.file} · {one.sheet}") for one in first.issues]
    return report


def many() -> Report:
    report = accepted(rows_read=10_000 + 1243, rows_rejected=10_000)
    report.issues = [issue("amount_unreadable", row) for row in range(5, 9_005)]
    report.issues += [issue("date_unreadable", row, column="D", value="31/02/2024") for row in range(5, 1_005)]
    return report


CASES = {case.__name__: case for case in (accepted, with_issues, held, refused, archive, many)}


def parse(page: str) -> html5lib.HTMLParser:
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page)


def text(page: str) -> str:
    """What is read on the page, with ordinary spaces."""
    joined = re.sub(r"\s+", " ", " ".join(parse(page).find("body").itertext()))
    return re.sub(r"(?<=[«(]) | (?=[»),.])", "", joined)


@pytest.mark.parametrize("case", CASES)
def test_page_is_valid_and_accessible(case: str) -> None:
    page = render(CASES[case](), as_of=DAY)
    tree = parse(page)
    levels = [int(node.tag[1]) for node in tree.iter() if isinstance(node.tag, str) and re.fullmatch(r"h\d", node.tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    for table in tree.iter("table"):
        assert table[0].tag == "caption"
        assert all(th.get("scope") for th in table.iter("th"))
    for region in (node for node in tree.iter("div") if node.get("class") == "scroll"):
        assert (region.get("role"), region.get("tabindex")) == ("region", "0")
        assert region.get("aria-label")
    ids = [node.get("id") for node in tree.iter() if node.get("id")]
    assert len(ids) == len(set(ids))
    assert {a.get("href")[1:] for a in tree.iter("a") if a.get("href").startswith("#")} <= set(ids)


@pytest.mark.parametrize("case", CASES)
def test_page_asks_nothing_of_the_network(case: str) -> None:
    page = render(CASES[case](), as_of=DAY)
    assert not re.search(r"""(src|href)=["'](?!#|data:,)""", page)
    assert "<script" not in page
    assert "url(" not in page


@pytest.mark.parametrize("case", CASES)
def test_sentences_follow_french_typography(case: str) -> None:
    page = re.sub(r'<td class="v">.*?</td>', "", render(CASES[case](), as_of=DAY))  # cells are shown as they are
    for node in parse(page).find("body").iter():
        for piece in filter(None, (node.text, node.tail)):
            assert not re.search(r"(« | [:;!?»%€]|\d \d{3}\b)", piece), piece


def test_counts_are_an_equation() -> None:
    said = text(render(with_issues(), as_of=DAY))
    assert "1 250 lignes lues = 1 240 acceptées + 7 écartées + 3 ignorées" in said
    assert "2 ignorées : ligne de total" in said
    assert "ne tombe pas juste" not in said
    assert "ne tombe pas juste" in text(render(accepted(rows_read=9), as_of=DAY))


@pytest.mark.parametrize(
    ("case", "verdict", "action"),
    [
        (
            "accepted",
            "Votre fichier est accepté : 1 240 lignes sont prises en compte, aucune",
            "Rien. Vous pouvez fermer",
        ),
        (
            "with_issues",
            "7 sont écartées et restent à corriger",
            "Corrigez les 7 lignes écartées : Montant illisible (6)",
        ),
        ("held", "nous avons besoin de votre réponse", "Répondez à la question ci-dessus"),
        ("refused", "rien n’a été pris en compte", "corrigez ce qui est dit ci-dessus"),
        ("archive", "1 fichier est refusé sur 2", "Dans «2024/aides.xlsx» (refusé), réglez"),
    ],
)
def test_first_screen_says_what_happened_and_what_to_do(case: str, verdict: str, action: str) -> None:
    said = text(render(CASES[case](), as_of=DAY))
    assert said.index(verdict) < said.index(action) < said.index("Ce que le public verra de")


def test_refused_file_says_why_before_anything_else() -> None:
    said = text(render(refused(), as_of=DAY))
    assert said.index("protégé par un mot de passe") < said.index("Ce que vous avez à faire")
    assert "Traceback" not in said
    assert "0 ligne lue" not in said


def test_what_was_understood_is_shown_with_french_labels() -> None:
    said = text(render(accepted(), as_of=DAY))
    for expected in ("Modèle Qui finance quoi", "Département de l'Hérault", "2022 à 2024",
                     "Montant accordé 1 234 567,89 €", "Montant demandé 2 345 678,90 €", "Accordée 1 180",
                     "Irrecevable 10",
                     "Notice non – – – – laissée de côté : aucune ligne de titres reconnue"):  # fmt: skip
        assert expected in said


def test_inferred_format_asks_for_a_look() -> None:
    said = text(render(accepted(recognised_by="inference", format=None), as_of=DAY))
    assert "Vous pouvez fermer" not in said
    assert "Vérifiez le sens donné à vos colonnes" in said


def test_columns_are_all_accounted_for() -> None:
    page = render(with_issues(), as_of=DAY)
    said = text(page)
    unused = said[said.index("Colonnes non utilisées") : said.index("Colonnes utilisées")]
    assert "Avis du bureau colonne inconnue de ce format Feuil1, colonne G" in unused
    assert "(sans titre)" in unused
    assert "Courriel" not in unused
    assert "Courriel donnée personnelle" in said[said.index("laissées de côté exprès") :]
    assert "Bénéficiaire Demandeur" in said


def places(page: str) -> list[tuple[str, str]]:
    """Every (row, value) listed in the tables of places."""
    return re.findall(r'<td class="n">(\d+)</td><td>.*?</td><td class="v">(?:<bdi>)?(.*?)(?:</bdi>)?</td>', page)


def test_every_place_is_listed_up_to_the_limit() -> None:
    page = render(with_issues(), as_of=DAY)
    assert len(places(page)) == len(with_issues().issues)
    opened = re.sub(r"<details>.*?</details>", "", page, flags=re.DOTALL)
    assert sum(value.startswith("78428") for _, value in places(opened)) == 50
    assert "Les 50 premiers endroits sur 230" in text(page)
    capped = render(many(), as_of=DAY)
    assert len(places(capped)) == 5_000 + 1_000
    assert "4 000 autres endroits ne sont pas détaillés ici" in text(capped)


def test_public_and_private_parts_are_told_apart() -> None:
    said = text(render(with_issues(), as_of=DAY))
    visible, hidden = said[said.index("Visible") :].split("Jamais visible")
    assert "Votre fichier compte 1 180 demandes accordées" in visible
    assert "au moins 10 décisions" in visible
    assert "refusée : 45, irrecevable : 10, en instruction : 5" in hidden
    assert "12 lignes concernent une personne physique" in hidden
    assert "adresse électronique (41), téléphone (3)" in hidden
    assert "démonstration" not in said
    assert "Données de démonstration" in text(render(accepted(is_demonstration=True), as_of=DAY))


@pytest.mark.parametrize(
    ("publishes", "decisions", "expected"),
    [
        (None, {"awarded": 5}, "rien ne dit s’ils y figureraient"),
        (None, {"awarded": 5, "refused": 2}, "Le fichier contient des refus"),
        (False, {"awarded": 5, "refused": 2}, "déclare ne pas publier ses refus"),
        (True, {"awarded": 5}, "même s’il est de 0 %"),
    ],
)
def test_refusals_are_explained(publishes: bool | None, decisions: dict[str, int], expected: str) -> None:
    assert expected in text(render(accepted(publishes_refusals=publishes, decisions=decisions), as_of=DAY))


def test_missing_useful_fields_come_with_advice() -> None:
    said = text(render(with_issues(), as_of=DAY))
    assert "310 sur 1 240 25 % Complétez la colonne «SIRET»" in said
    assert "Montant demandé 0 sur 1 240 0 % Ajoutez une colonne «Montant demandé»" in said
    assert "Motif de refus 0 sur 55" in said
    assert "Date de décision 1 240 sur 1 240 100 % complet ou presque" in said


def test_what_is_missing_is_listed_with_its_acronyms() -> None:
    said = text(render(with_issues(), as_of=DAY))
    assert (
        "Informations utiles qui manquent : SIRET ou SIREN du demandeur, SIRET ou SIREN du financeur, montant" in said
    )


def test_a_funder_known_by_its_folder_alone_is_said_to_be() -> None:
    remark = "(le nom du dossier : le fichier ne dit pas qui finance)"
    of_folder = accepted(funders=["departement-34"])
    assert f"Financeur departement-34 {remark}" in text(render(of_folder, as_of=DAY))
    of_folder.columns.append(ColumnReport("Feuil1", "Z", "Financeur", "funder_name"))
    assert remark not in text(render(of_folder, as_of=DAY))
    assert remark not in text(render(accepted(), as_of=DAY))


def test_archive_has_a_section_per_member_and_no_issue_twice() -> None:
    page = render(archive(), as_of=DAY)
    said = text(page)
    assert re.search(r"Fichier 1 sur 2 : 2023/aides.csv Accepté", said)
    assert re.search(r"Fichier 2 sur 2 : 2024/aides.xlsx Refusé\. Ce fichier est protégé", said)
    assert "lisez-moi.txt : n’est pas un tableau" in said
    assert len(places(page)) == len(with_issues().issues)


def test_held_archive_does_not_call_its_members_accepted() -> None:
    report = archive()
    report.status = "held"
    said = text(render(report, as_of=DAY))
    assert "Votre archive a été lue, mais elle n’est pas encore prise en compte" in said
    assert "Fichier 1 sur 2 : 2023/aides.csv En règle." in said


def test_only_member_of_an_archive_goes_by_the_name_of_the_archive(tmp_path: Path) -> None:
    path = write_receipt(accepted("aides.csv"), tmp_path, as_of=DAY, file_name="Envoi.zip")
    assert path.name == "envoi-1a2b3c4d.html"
    said = text(path.read_text(encoding="utf-8"))
    assert "Fichier lu dans l’archive : aides.csv" in said
    assert "sous le nom «Envoi.zip»" in said


def test_unrecognised_file_is_asked_about_and_claims_nothing() -> None:
    report = Report("liste.csv", SHA, status="held", questions=[f"Que veut dire « {word} » ?" for word in "abcdefg"])
    said = text(render(report, as_of=DAY))
    assert "Répondez aux questions ci-dessus" in said
    assert "Voir 2 autres" in said
    assert "non trouvé" not in said
    assert "Votre fichier compte" not in said


HOSTILE = '</td><script>alert("é")</script>&amp;\u202etxt.exe\x00\ud800\ufffe\x85\n\tfin'


def test_nothing_from_a_file_becomes_markup() -> None:
    report = with_issues()
    report.file = f"a{HOSTILE}.csv"
    report.depositor = HOSTILE
    report.funders = [HOSTILE]
    report.messages = report.questions = [HOSTILE]
    report.sheets.append(SheetReport(HOSTILE, False, HOSTILE))
    report.columns.append(ColumnReport(HOSTILE, "Z", HOSTILE, None, HOSTILE))
    report.issues = [
        Issue(HOSTILE, row, "F", HOSTILE, code, HOSTILE + str(row), "error")
        for row in (1, 2)
        for code in ("x", "row_length")
    ]
    report.personal_removed = {HOSTILE: 2}
    page = render(report, as_of=DAY)
    tree = parse(page)
    assert not list(tree.iter("script"))
    assert not re.search("[\u202e\x00\x85\ufffe\ud800]", page)
    assert "[U+202E]txt.exe[U+0000][U+D800][U+FFFE][U+0085]⏎ →fin" in text(page)
    assert page.encode()


def test_long_values_are_cut() -> None:
    report = with_issues()
    report.issues[0].value = "x" * 32_000
    assert "x… (32 000 caractères)" in text(render(report, as_of=DAY))


def test_written_once_under_a_stable_ascii_name(tmp_path: Path) -> None:
    report = accepted("Été/Subventions « 2024 » (définitif).XLSX")
    folder = tmp_path / "_accuses"
    path = write_receipt(report, folder, as_of=DAY)
    assert path == folder / receipt_name(report) == folder / "subventions-2024-definitif-1a2b3c4d.html"
    before = path.stat()
    assert write_receipt(report, folder, as_of=DAY) == path
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
    assert path.read_text(encoding="utf-8") == render(report, as_of=DAY)
    write_receipt(report, folder, as_of=date(2026, 4, 1))
    assert "1er avril 2026" in text(path.read_text(encoding="utf-8"))
    assert list(folder.iterdir()) == [path]


@pytest.mark.parametrize("name", ["", "..", "???.xlsx", "日本.csv", "a" * 300 + ".csv", "dossier\\fichier.csv"])
def test_any_file_name_gives_a_plain_receipt_name(name: str) -> None:
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,90}\.html", receipt_name(Report(name, SHA)))


def test_ten_thousand_issues_in_time(tmp_path: Path) -> None:
    report = many()
    assert len(report.issues) == 10_000
    start = time.perf_counter()
    write_receipt(report, tmp_path, as_of=DAY)
    assert time.perf_counter() - start < 3


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (french.amount("1234567.8", currency="EUR"), "1 234 567,80 €"),
        (french.amount("-12", currency="USD"), "−12,00 USD"),
        (french.count(0, "ligne"), "0 ligne"),
        (french.count(1250, "ligne"), "1 250 lignes"),
        (french.share(1239, 1240), "99 %"),
        (french.share(1, 1240), "moins de 1 %"),
        (french.share(0, 0), "–"),
        (french.long_date(date(2026, 5, 1)), "1er mai 2026"),
        (french.inside_a_sentence("Montant demandé"), "montant demandé"),
        (french.inside_a_sentence("SIRET ou SIREN"), "SIRET ou SIREN"),
        (french.inside_a_sentence("À"), "À"),
        (french.year_ranges([2024, 2019, 2020, 2021]), "2019 à 2021 et 2024"),
        (french.year_ranges([2023, 2024]), "2023 et 2024"),
        (french.typeset("« 12 500 € » : oui ?"), "« 12 500 € » : oui ?"),
    ],
)
def test_french(written: str, expected: str) -> None:
    assert re.sub(r"[\u00a0\u202f]", " ", written) == expected


def test_french_spaces_do_not_break() -> None:
    assert french.amount("1234", currency="EUR") == "1\u202f234,00\u00a0€"
    assert (
        french.typeset("L'objet « Fête de l'été » n'est pas lu") == "L’objet «\u00a0Fête de l'été\u00a0» n’est pas lu"
    )
    assert french.typeset("« 12 500 € » : oui ?") == "«\u00a012\u202f500\u00a0€\u00a0»\u00a0: oui\u00a0?"
