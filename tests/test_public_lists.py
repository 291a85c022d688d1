"""Layouts of lists published by others, none of which was at hand when the rules were written: invented cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipelines.ingest.check import check_file
from pipelines.ingest.normalise import Origin
from schemas.funder import Answer, FunderFile

if TYPE_CHECKING:
    from pipelines.ingest.outcome import Outcome
    from pipelines.ingest.report import Report

PARTIES = ["ASSOCIATION DU PARC", "CLUB SPORTIF MUNICIPAL", "COMITE DES FETES", "SECOURS DU LAC", "FOYER RURAL",
           "AMICALE LAIQUE"]  # fmt: skip
AMOUNTS = ["15000", "2500", "800", "45000.5", "1200", "98000"]
TOTAL = "162500.50"


def check(titles: str, row: str, *, name: str, answers: dict[str, str] | None = None) -> Outcome:
    """A list of six lines: `{party}`, `{amount}` and `{n}` stand for what changes from one to the next."""
    rows = [row.format(party=p, amount=a, n=n) for n, (p, a) in enumerate(zip(PARTIES, AMOUNTS, strict=True), start=1)]
    text = "\n".join([titles, *rows])
    given = tuple(Answer(file=name, about=about, answer=answer) for about, answer in (answers or {}).items())
    return check_file(text.encode(), Origin("d", "dossier", name, FunderFile(answers=given)))


def read(titles: str, row: str, *, name: str) -> Report:
    report = check(titles, row, name=name).report
    assert report.status == "accepted", report.questions or report.messages
    assert report.rows_accepted == len(PARTIES)
    return report


def held(titles: str, row: str, *, name: str) -> list[str]:
    report = check(titles, row, name=name).report
    assert report.status == "held"
    assert report.amounts == {}
    return report.questions


EUROPEAN = {
    "2021-2027": (
        ("Numéro Opération;NUMCCI;Libellé Programme;Intitulé du projet;Nom du bénéficiaire;Code postal du bénéficiaire;"
        "Date de début de l'opération;Date de fin de l'opération;Zone;Pays;Fonds;Objectif stratégique;"
        "Total des dépenses éligibles;Taux de cofinancement;Montant UE;Date première convention"),
        ("OP{n};2021FR16;Programme d'essai;Projet {n};{party};34000;2022-01-01;2025-12-31;;France;FEDER;1. Europe;"
        "900000;50 %;{amount};2023-05-0{n}"),
        [2023], "signature_date",
    ),
    "2014-2020": (
        ("Numéro Opération;NumCCI;Libellé programme;Intitulé du projet;Résumé de l'opération;Nom du bénéficiaire;"
        "Date de début de l'opération;Date de fin de l'opération;Domaine d’intervention;Date de programmation;Fonds;"
        "Total des dépenses éligibles programmées;Montant UE programmé"),
        "OC{n};2014FR16;PO d'essai;Projet {n};Texte;{party};2015-01-01;2018-12-31;;2016-06-15;FSE;900000;{amount}",
        [2016], "decision_date",
    ),
    "two languages": (
        ("Programme;Intitulé du projet  - operation name;Nom du bénéficiaire - beneficiary name;"
        "Date de début de l'opération - operation start date;Total dépenses éligibles;"
        "Montant UE programmé - Union co-financing rate;Pays - Country;Date de programmation;Fonds"),
        "PO d'essai;Projet {n};{party};01/01/2015;900000;{amount};France;15/06/2015;FEDER",
        [2015], "decision_date",
    ),
    "no decision": (
        ("num_dossier;Libellé_po;AXE;Region_adm;Service_gest;Lib_opé;Lib_org;Dépenses totales;Mont_UE;"
        "Date début réalisation;Date fin réalisation"),
        "201500{n};PON FSE;3;Occitanie;Service d'essai;Action {n};{party};900000;{amount};01/01/2015;31/12/2015",
        [2015], "period",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", EUROPEAN)
def test_the_union_pays_its_share_and_not_the_cost(case: str) -> None:
    titles, row, years, basis = EUROPEAN[case]
    outcome = check(titles, row, name="liste_operations.csv")
    report = outcome.report
    assert report.status == "accepted", report.questions
    assert (report.format or "").startswith("fonds-europeens")
    assert report.amounts == {"awarded": TOTAL}
    assert report.fiscal_years == years
    assert set(outcome.accepted["fiscal_year_basis"]) == {basis}
    assert set(outcome.accepted["funder_level"]) == {"europe"}
    assert outcome.accepted["applicant_name"].to_list() == PARTIES


def test_a_list_without_the_share_of_the_union_is_held() -> None:
    titles = "Nom du bénéficiaire;Nom de l'opération;Date de début de l'opération;Total des dépenses éligibles"
    questions = held(titles, "{party};Projet {n};2016-01-01;{amount}", name="liste_operations_FEDER.csv")
    assert any("Quelle colonne donne le montant" in question for question in questions)


def test_a_name_misspelt_as_published_is_the_name() -> None:
    report = read(
        "Nom attribuant;Date convention;Référence décision;Nom bénéficaire;Objet;Montant;Conditions versement",
        "Métropole d'Essai;2018-05-28;DEL 18/00{n};{party};Projet {n};{amount};unique",
        name="subventions-attribuees.csv",
    )
    assert report.amounts == {"awarded": TOTAL}
    assert report.fiscal_years == [2018]


def test_words_of_a_database_stand_in_another_order() -> None:
    report = read(
        "annee;beneficiaire_code;beneficiaire_nom;decision_ref;datevote;montant_vote",
        "2020;100{n};{party};D{n};2020-03-12;{amount}",
        name="export.csv",
    )
    fields = {column.header: column.field for column in report.columns}
    assert fields["beneficiaire_nom"] == "applicant_name"
    assert fields["beneficiaire_code"] == "applicant_local_id"
    assert fields["datevote"] == "decided_date"
    assert report.amounts == {"awarded": TOTAL}


ACCOUNT = "Exercice;Collectivité;Nom Collectivité;Section;Nature;Nom du tiers;Montant"
ACCOUNT_ROW = "2015;VE;Ville d'Essai;Fonctionnement;6574;{party};{amount}"


def test_an_account_of_grants_says_what_was_paid_and_a_code_is_no_second_party() -> None:
    report = read(ACCOUNT, ACCOUNT_ROW, name="ca-2015-ville-d-essai-subventions-aux-associations.csv")
    assert report.amounts == {"paid": TOTAL}
    assert report.funders == ["Ville d'Essai"]


def test_an_account_of_anything_is_no_list_of_grants() -> None:
    [question] = held(ACCOUNT, ACCOUNT_ROW, name="ca-2015-ville-d-essai-depenses.csv")
    assert "demandé, accordé ou versé" in question


FORMER = [
    ("Association;Attribué 2022;Demandé 2023;Proposition 2023", "{party};{amount};900;800"),
    ("Exercice;Association;Montant attribué 2022;Montant demandé 2023", "2023;{party};{amount};900"),
]


@pytest.mark.parametrize(("titles", "row"), FORMER)
def test_a_grant_of_last_year_beside_the_request_of_this_one_is_never_read(titles: str, row: str) -> None:
    answers = {"year": "2023", "only awards": "yes"}
    report = check(titles, row, name="associations.csv", answers=answers).report
    assert report.status == "held"
    assert report.amounts == {}
    [question] = report.questions
    assert "déposez la liste après la décision" in question


def test_the_grants_of_this_year_are_read_beside_those_of_the_last() -> None:
    report = read(
        "Association;Montant demandé 2023;Montant attribué 2023;Montant attribué 2022",
        "{party};99000;{amount};700",
        name="subventions attribuées.csv",
    )
    assert report.amounts["awarded"] == TOTAL
    assert report.fiscal_years == [2023]


PAID_IN_2013 = "bénéficiaire;montant versé en 2013 (€);nature;Année de la subvention"


def test_a_year_of_grant_beside_a_year_of_payment_is_asked_and_is_no_money() -> None:
    row = "COMMUNE DE {party};{amount};Travaux;201{n}"
    [question] = held(PAID_IN_2013, row, name="liste.csv")
    assert "l'année 2013 que porte le titre du montant" in question
    for answer, years in (("name", [2013]), ("column", [2011, 2012, 2013, 2014, 2015, 2016])):
        report = check(PAID_IN_2013, row, name="liste.csv", answers={"year source": answer}).report
        assert (report.status, report.fiscal_years) == ("accepted", years), report.questions


def test_a_year_of_anything_is_not_asked_as_money() -> None:
    questions = held(
        "Bénéficiaire;Montant accordé;Année d'ouverture", "{party};{amount};201{n}", name="aides accordées.csv"
    )
    assert not any("montants de « Année" in question for question in questions)


def test_what_remains_to_pay_is_computed() -> None:
    report = read(
        "Année;Association;Montant voté;Montant versé;Reste à verser", "2021;{party};{amount};100;50", name="liste.csv"
    )
    assert report.amounts == {"awarded": TOTAL, "paid": "600.00"}


def test_a_partial_award_is_an_award() -> None:
    titles, row = "Année;Association;Montant accordé;Décision", "2022;{party};{amount};Accordé partiellement"
    assert read(titles, row, name="décisions.csv").decisions == {"awarded": len(PARTIES)}


def test_a_column_of_currencies_answers_for_a_title() -> None:
    report = read("Bénéficiaire;Exercice;Montant accordé (CHF);Devise", "{party};2021;{amount};CHF", name="liste.csv")
    assert (report.amounts, report.currency) == ({"awarded": TOTAL}, "CHF")


@pytest.mark.parametrize("currency", ["CHF", "CAD", "USD", "F CFP", "FCFA", "DH", "£", "$"])
def test_a_currency_in_a_title_is_asked(currency: str) -> None:
    questions = held(f"Bénéficiaire;Exercice;Montant accordé ({currency})", "{party};2021;{amount}", name="liste.csv")
    assert "dans une autre monnaie" in questions[0]


def test_a_currency_in_the_cells_is_named() -> None:
    [question] = held("Bénéficiaire;Exercice;Montant accordé", "{party};2021;£{amount}", name="liste.csv")
    assert "« £15000 » est-il dans une autre monnaie que l'euro" in question


def test_a_body_without_a_receiver_may_be_either_party() -> None:
    questions = held(
        "Exercice;Nom de la commune;Montant attribué", "2022;COMMUNE DE {party};{amount}", name="dotation.csv"
    )
    assert any("dit-elle qui reçoit, ou qui est le financeur" in question for question in questions)


def test_one_line_that_cannot_be_read_is_told_in_the_singular() -> None:
    text = "Bénéficiaire;Exercice;Montant accordé\n" + "\n".join(f"{p};2021;1000" for p in 2 * PARTIES[1:])
    report = check_file(
        f"{text}\n{PARTIES[0]};2021;15 000 € (dont 5 000 € exceptionnels)".encode(),
        Origin("d", "dossier", "liste.csv", FunderFile()),
    ).report
    said = " ".join([*report.questions, *report.messages])
    assert "ligne sur 11 ne peut pas être lue" in said


def answered(titles: str, row: str, *, name: str, **answers: str) -> Report:
    return check(titles, row, name=name, answers=answers).report


NO_GRANTS = {
    "a budget": ("Section;Chapitre;Article;Libellé;Montant voté", "Fonctionnement;65;6{n}1;{party};{amount}",
                 "budget-primitif-2022.csv", "parle de « budget primitif »"),
    "payment orders": ("Exercice;N° mandat;Date mandat;Tiers;Montant mandaté", "2021;{n};12/03/2021;{party};{amount}",
                       "mandats-2021.csv", "d'un budget ou de mandats"),
    "membership fees": ("Organisme;Montant versé;Année", "{party};{amount};2022",
                        "cotisations-2022.csv", "parle de « cotisations »"),
    "one account": ("Nature;Libellé;Montant voté;Année", "6{n}11;{party};{amount};2022",
                    "export.csv", "Le titre « Nature » est celui d'un budget ou de mandats"),
    "accounts": ("Chapitre;Nature;Libellé;Montant voté;Année", "65;6{n}1;{party};{amount};2022",
                 "export.csv", "d'un budget ou de mandats"),
}  # fmt: skip


@pytest.mark.parametrize("case", NO_GRANTS)
def test_a_list_of_something_else_is_asked_about(case: str) -> None:
    titles, row, name, words = NO_GRANTS[case]
    [question] = held(titles, row, name=name)
    assert words in question
    report = answered(titles, row, name=name, subject="yes")
    assert (report.status, set(report.amounts.values())) == ("accepted", {TOTAL}), report.questions


GRANTS_ANYWAY = {
    "said by the name": ("Organisme;Montant versé;Année", "{party};{amount};2022", "subventions, cotisations.csv"),
    "said by who receives in a budget": ("Article;Association;Montant versé;Exercice", "61{n}1;{party};{amount};2021",
                                         "budget primitif 2021.csv"),
    "said by the account": ("Chapitre;Nature;Nom du tiers;Montant mandaté;Exercice",
                            "65;6574;{party};{amount};2021", "export.csv"),
    "said by the cells": ("N° mandat;Date mandat;Tiers;Objet du mandat;Montant mandaté;Exercice",
                          "{n};12/03/2021;{party};Subvention {n};{amount};2021", "export.csv"),
    "said by who receives": ("N° mandat;Date mandat;Bénéficiaire;Montant mandaté;Exercice",
                             "{n};12/03/2021;{party};{amount};2021", "export.csv"),
}  # fmt: skip


@pytest.mark.parametrize("case", GRANTS_ANYWAY)
def test_a_list_that_speaks_of_grants_is_one(case: str) -> None:
    titles, row, name = GRANTS_ANYWAY[case]
    assert read(titles, row, name=name).amounts == {"paid": TOTAL}


def test_loans_told_by_what_they_are_for_are_asked() -> None:
    titles, row = "Entreprise;Année;Montant accordé;Objet", "SOCIETE {party};2020;{amount};Prêt garanti par l'État"
    [question] = held(titles, row, name="liste.csv")
    assert "prêts ou des garanties" in question
    rooms = read(titles, row.replace("garanti par l'État", "de salle"), name="liste.csv")
    assert rooms.amounts == {"awarded": TOTAL}


@pytest.mark.parametrize("title", ["Montant attribué 2019-2021", "Subvention attribuée pour 2020, 2021 et 2022"])
def test_an_amount_of_several_years_is_of_none_before_it_is_asked(title: str) -> None:
    titles, row, name = f"Association;{title}", "{party};{amount}", "subventions 2021.csv"
    [question] = held(titles, row, name=name)
    assert "porte plusieurs années" in question
    assert answered(titles, row, name=name, year="2019").fiscal_years == [2019]


def test_the_year_in_the_title_of_an_amount_is_not_asked_before_its_stage() -> None:
    [question] = held("Association;SIREN;Subvention 2011 en euros", "{party};;{amount}", name="plf-2013-jaune.csv")
    assert "demandé, accordé ou versé" in question


def test_a_code_beside_the_name_is_no_name() -> None:
    report = read(
        "TIERS;LIBELLE;MONTANT ATTRIBUE;EXERCICE", "100{n};ASSOCIATION {party};{amount};2021", name="export.csv"
    )
    assert [c.header for c in report.columns if c.field == "applicant_name"] == ["LIBELLE"]


@pytest.mark.parametrize(
    ("titles", "row"),
    [
        ("Assoc.;Subv. accordée;Exerc.", "{party};{amount};2021"),
        ("Bénéficiaire;Subside octroyé;Exercice", "{party};{amount};2021"),
        ("Tiers - Raison sociale;Montant voté de l'aide;Coût de l'action;Exercice", "{party};{amount};99000;2021"),
        ("Nom du partenaire;Montant accordé en commission;Année", "ASSOCIATION {party};{amount};2021"),
        ("Nom du bénéficiaire;Objet du subside;Montant octroyé;Exercice;Instance octroyante",
         "{party};Projet {n};{amount};2021;Région d'Essai"),
    ],
)  # fmt: skip
def test_words_cut_short_turned_round_or_of_belgium_are_known(titles: str, row: str) -> None:
    report = read(titles, row, name="export.csv")
    assert (report.amounts, report.fiscal_years) == ({"awarded": TOTAL}, [2021])


def test_what_is_lent_for_nothing_is_an_aid_in_kind() -> None:
    outcome = check(
        "Association;Année;Type d'aide;Montant accordé",
        "{party};2022;Mise à disposition de locaux;{amount}",
        name="liste.csv",
    )
    assert outcome.report.status == "accepted", outcome.report.questions
    assert set(outcome.accepted["aid_form"]) == {"in_kind"}


def test_the_value_of_food_given_is_beside_the_grant() -> None:
    outcome = check(
        "Structure;Valorisation (€);Subvention accordée;Année",
        "ASSOCIATION {party};300;{amount};2022",
        name="liste.csv",
    )
    assert outcome.report.amounts == {"awarded": TOTAL}, outcome.report.questions
    assert {str(value) for value in outcome.accepted["amount_in_kind"]} == {"300.00"}


OPENED = ("Bénéficiaire;Montant accordé;Millésime du projet", "{party};{amount};201{n}", "aides accordées 2020.csv")


@pytest.mark.parametrize(("answer", "years"), [("yes", [2011, 2012, 2013, 2014, 2015, 2016]), ("no", [2020])])
def test_a_column_of_years_can_be_told_to_be_the_fiscal_year_or_not(answer: str, years: list[int]) -> None:
    titles, row, name = OPENED
    [question] = held(titles, row, name=name)
    assert "donne-t-elle l'exercice" in question
    about = "year column millesime du projet"
    report = check(titles, row, name=name, answers={about: answer, "year source": "column"}).report
    assert (report.status, report.fiscal_years) == ("accepted", years), report.questions


OPINION = "Association;Année;Avis de la commission;Montant accordé"


def _with_opinions(**answers: str) -> Report:
    opinions = ["Favorable", "Réservé"] * 3
    rows = [f"{p};2022;{said};{a}" for p, said, a in zip(PARTIES, opinions, AMOUNTS, strict=True)]
    given = tuple(Answer(about=about.replace("_", " "), answer=answer) for about, answer in answers.items())
    text = "\n".join([OPINION, *rows])
    return check_file(text.encode(), Origin("d", "dossier", "liste.csv", FunderFile(answers=given))).report


def test_an_opinion_can_be_told_to_be_no_decision() -> None:
    [question] = _with_opinions().questions
    assert "La décision (accordée, refusée…) se lit-elle dans « Avis de la commission »" in question
    report = _with_opinions(decides_avis_de_la_commission="no")
    assert (report.status, report.decisions) == ("accepted", {"awarded": len(PARTIES)}), report.questions
    asked = _with_opinions(decides_avis_de_la_commission="yes").questions
    assert any("Que veut dire « Favorable »" in question for question in asked)
