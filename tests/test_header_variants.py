"""Every spelling of a title met in real files (FORMATS.md §5.5): read as what it means, or asked, never misread.

Each title stands for its target among the other columns of the legal list. What no one may lose without a word is an
amount, a party, a date, a year or a decision.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl
import pytest
from stdnum.luhn import calc_check_digit

from pipelines.ingest.check import check_file
from pipelines.ingest.normalise import Origin
from pipelines.ingest.recognise import find_header
from pipelines.ingest.sheet import Sheet, column_letters
from schemas.format import load_formats
from schemas.funder import FunderFile

if TYPE_CHECKING:
    from pipelines.ingest.outcome import Outcome

NAMES = ["Association Les Amis", "Club de judo", "Comité des fêtes", "Épicerie solidaire", "Restos du cœur", "Secours"]
FUNDER_SIRET = "21340172201787"


def _siret(number: int) -> str:
    siren = f"{51234500 + number}"
    establishment = siren + calc_check_digit(siren) + "0001"
    return establishment + calc_check_digit(establishment)


SIRETS = [_siret(number) for number in range(6)]

# Target → title in the legal list ("" : not there unless it is the target), then its cells.
LIST: dict[str, tuple[str, list[str]]] = {
    "funder_name": ("nomAttribuant", ["Ville d'Essai"] * 6),
    "funder_id": ("idAttribuant", [FUNDER_SIRET] * 6),
    "fiscal_year": ("", ["2021"] * 6),
    "signed_date": ("dateConvention", [f"2021-0{n + 1}-15" for n in range(6)]),
    "decision_reference": ("referenceDecision", [f"2021-DEL-{n:03d}" for n in range(6)]),
    "applicant_name": ("nomBeneficiaire", NAMES),
    "applicant_id": ("idBeneficiaire", SIRETS),
    "applicant_rna": ("", [f"W34300{n}234" for n in range(6)]),
    "title": ("objet", [f"Atelier {n}" for n in range(6)]),
    "amount_awarded": ("montant", [str(1000 + 137 * n) for n in range(6)]),
    "aid_form": ("nature", ["aide en numéraire"] * 6),
    "payment_conditions": ("conditionsVersement", ["unique"] * 6),
    "payment_period": ("datesPeriodeVersement", [f"2021-0{n + 1}-20" for n in range(6)]),
    "rae_id": ("idRAE", ["X1"] * 6),
    "eu_notification": ("notificationUE", ["non"] * 6),
    "beneficiary_share": ("pourcentageSubvention", ["1"] * 6),
}

READ = {
    "funder_name": ["nomAttribuant", "Nom de l'attribuant", "nom Attribuant", "Nom de l'organisme attributaire",
                    "Nom de l'attributaire", "Autorité administrative", "NOM COLLECTIVITÉ", "cscollnom", "coll_nom",
                    "nomattribuant_0"],
    "funder_id": ["idAttribuant", "Id attribuant", "id  Attribuant", "iAttribuant", "attribuant_id", "coll_siret",
                  "Identification de l'attribuant (SIRET)", "Identification de l'attributaire",
                  "Identification SIRET de l'attribuant", "SIRET autorité administrative",
                  "SIRET organisme attributaire", "identifiant_attribuant"],
    "fiscal_year": ["exercice", "excercice", "Année de la demande", "annee", "annee_subv", "Année budgétaire",
                    "anneeConvention", "anneeDecision", "dateDecision_Tri", "anne", "annze"],
    "signed_date": ["dateConvention", "datedeconvention", "date Convention", "Date de convention*",
                    "Date de la convention (AAAA-MM-JJ)", "Date de la convention de subvention (AAAA-MM-JJ)",
                    "Date signature de la convention", "Date de signature de la convention", "la_date_conv"],
    "decision_reference": ["referenceDecision", "Référence de la décision", "Référence délibération", "acte_ref",
                           "Référence décision 1", "référence administrative (demande)", "decision_ref",
                           "referenceconvention", "numéro dossier"],
    "applicant_name": ["nomBeneficiaire", "Nom du bénéficiaire", "Nom du bénéficiaire*", "Nom attributaire",
                       "désignation du bénéficiaire", "tiers", "libellé tiers", "libelle_complet_tiers", "attrib_nom",
                       "nom_structure", "liborgabenef", "beneficiaire", "bénéficiaire(s)", "raison sociale",
                       "association", "nom"],
    "applicant_id": ["idBeneficiaire", "idBeneficiare", "iBeneficiaire", "Identification du bénéficiaire*",
                     "Identification du bénéficiaire (SIRET)", "Numéro Siret", "N° SIRET", "N° SIRET (fusion)",
                     "N° SIRET attributaire", "SIRET bénéficiaire", "SIRET du bénéficiaire", "code_siren_siret",
                     "beneficiaire_code", "code_tiers_beneficiaire", "attrib_siret", "siret_1", "siret.1", "SIRET"],
    "applicant_rna": ["rnaBeneficiaire"],
    "title": ["objet", "object", "Objet de la convention", "Objet du dossier", "Objet de la subvention",
              "Objet de l'aide", "Objet convention", "Nom du Projet"],
    "amount_awarded": ["montant", "montantAttribue", "Montant total de la subvention*", "Montant voté",
                       "Montant accordé", "Montant décidé ligne", "mtsubv", "subvention", "subvention allouée",
                       "subvention totale", "total des subventions"],
    "aid_form": ["nature", "Nature de la subvention", "Nature de l'aide", "type d'avantage"],
    "payment_conditions": ["conditionsVersement", "conditionVersement", "Conditions de versement*", "subv_versement"],
    "payment_period": ["datesPeriodeVersement", "datePeriodeVersement", "dateperiodedeversement",
                       "dateperiodedversement", "Date(s) ou période(s) de versement (AAAA-MM-JJ)",
                       "Date de versement", "Période de versement", "dates_versement"],
    "rae_id": ["idRAE", "ID RAE", "N° unique de référencement au RAE", "Identification IRAE de l'aide attribuée",
               "rae_num", "Numéro de référencement au répertoire des entreprises"],
    "eu_notification": ["notificationUE", "Notification UE", "Aide notifiée à l'Europe", "Aide d'Etat notifiée à l'UE",
                        "Aide d'Etat (ou pas) notifiée à l'UE"],
    "beneficiary_share": ["pourcentageSubvention", "pourentagesubvention",
                          "% du mt de la subvention attribuée au bénéficiaire",
                          "Pourcentage du montant de la subvention attribuée au bénéficiaire",
                          "Pourcentage du montant attribué au bénéficiaire(*)"],
}  # fmt: skip

# Titles that mean something else than the list that holds them says: target → title → the field it is read as.
OTHERWISE = {
    ("amount_awarded", "Montant des Autorisations d'engagement"): "amount_committed",
    ("amount_awarded", "subventions_versees"): "amount_paid",
    ("amount_awarded", "total_des_mandats_emis"): "amount_paid",
    ("signed_date", "Date - Décision"): "decided_date",
    ("signed_date", "datedecision"): "decided_date",
    ("signed_date", "datevote"): "decided_date",
    ("signed_date", "date de délibération"): "decided_date",
    ("signed_date", "acte_date"): "decided_date",
}

# Titles that say nothing sure: the file is held, and the question speaks of the title or of what is missing.
ASKED = {
    ("funder_name", "gestion"): "« gestion »",
    ("applicant_name", "Nom du b\ufffdn\ufffdficiaire"): "le nom du demandeur",
    ("amount_awarded", "la_somme_e_mtdel"): "« la_somme_e_mtdel »",
    ("amount_awarded", "attribution_nouvelles 2019"): "le montant de la subvention",
}

# Titles of no amount, party, date, year nor decision: left unread, and listed as such.
UNREAD = {
    "numero_complet_engagement": ("AE2021", "decision_reference"),
    "codarticle": ("6574", "decision_reference"),
    "identifiant_unique": ("a1", "decision_reference"),
    "dateSoldeVersement": ("2021-12-01", "payment_period"),
    "dateVersementSolde": ("2021-12-01", "payment_period"),
    "Aides ne relevant pas d'une aide d'état": ("oui", "eu_notification"),
    "delegation": ("Culture", "aid_form"),
    "section": ("fonctionnement", "aid_form"),
}


def table(
    target: str, header: str, *, without: tuple[str, ...] = (), cells: list[str] | None = None
) -> list[list[str]]:
    """The legal list with `header` in the place of `target`; a year of its own takes the place of the dates."""
    dropped = (*without, *(("signed_date",) if target == "fiscal_year" else ()))
    columns = [
        [header if name == target else title, *(cells if name == target and cells else values)]
        for name, (title, values) in LIST.items()
        if (title or name == target) and name not in dropped
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def check(rows: list[list[str]], *, name: str = "conventions.csv") -> Outcome:
    text = "\n".join(";".join(row) for row in rows) + "\n"
    return check_file(text.encode(), Origin("d", "ville-d-essai", name, FunderFile()))


def field_of(outcome: Outcome, header: str) -> str | None:
    return next(c.field for c in outcome.report.columns if c.header == " ".join(header.split()))


def read_by_legal_format(rows: list[list[str]], header: str) -> str | None:
    """The field that the legal format gives to `header`, when that format is the one recognised."""
    letters = column_letters(len(rows[0]))
    cells = pl.DataFrame(rows, schema=dict.fromkeys(letters, pl.String), orient="row")
    found = find_header(Sheet("liste", cells.with_row_index("row", offset=1).cast({"row": pl.Int32})), load_formats())
    if found is None or found.format.id != "scdl":
        return None
    return found.fields.get(letters[rows[0].index(header)])


@pytest.mark.parametrize(("target", "header"), [(t, h) for t, headers in READ.items() for h in headers])
def test_a_title_is_read_as_what_it_means(target: str, header: str) -> None:
    rows = table(target, header, without=("rae_id",) if target == "applicant_id" else ())
    if read_by_legal_format(rows, header) == target:
        return  # a known format, a known title: what it then reads is tested elsewhere
    outcome = check(rows)
    assert outcome.report.status == "accepted", outcome.report.questions
    assert field_of(outcome, header) == target
    assert outcome.report.amounts == {"awarded": "8055.00"}
    assert outcome.report.fiscal_years == [2021]


@pytest.mark.parametrize(("target", "header"), OTHERWISE)
def test_a_title_that_means_another_stage_or_date_is_read_as_that(target: str, header: str) -> None:
    outcome = check(table(target, header))
    assert outcome.report.status == "accepted", outcome.report.questions
    assert field_of(outcome, header) == OTHERWISE[target, header]
    assert outcome.report.fiscal_years == [2021]
    if target == "amount_awarded":
        assert outcome.report.amounts == {OTHERWISE[target, header].removeprefix("amount_"): "8055.00"}


@pytest.mark.parametrize(("target", "header"), ASKED)
def test_a_title_that_says_too_little_is_asked(target: str, header: str) -> None:
    report = check(table(target, header)).report
    assert (report.status, report.rows_accepted) == ("held", 0)
    assert ASKED[target, header] in "\n".join(report.questions)


@pytest.mark.parametrize("header", UNREAD)
def test_what_decides_nothing_is_listed_unread(header: str) -> None:
    cell, target = UNREAD[header]
    outcome = check(
        table(target, header, cells=[f"{cell}-{n}" if target == "decision_reference" else cell for n in range(6)])
    )
    assert outcome.report.status == "accepted", outcome.report.questions
    column = next(c for c in outcome.report.columns if c.header == header)
    assert column.field is None
    assert column.why
    assert outcome.report.amounts == {"awarded": "8055.00"}
    assert outcome.accepted["eu_notification"].to_list() == [None if target == "eu_notification" else False] * 6


# ---------------------------------------------------------------- one title, either party


@pytest.mark.parametrize("header", ["SIRET", "N° Siret"])
def test_the_number_of_the_funder_is_never_given_to_those_who_ask(header: str) -> None:
    """`SIRET` alone: the number of the party that changes with it, else a question."""
    alone = check(table("funder_id", header, without=("applicant_id",)))
    assert alone.report.status == "held"
    assert "celui du financeur" in "\n".join(alone.report.questions)
    both = check(table("funder_id", header))
    assert both.accepted["applicant_siret"].to_list() == SIRETS


def test_sirets_under_the_title_of_a_register_of_aids_are_asked() -> None:
    header = "Numéro de référencement au répertoire des entreprises"
    report = check(table("applicant_id", header, without=("rae_id",))).report
    assert report.status == "held"
    assert "contient des SIRET" in "\n".join(report.questions)


def test_parties_the_wrong_way_round_are_asked() -> None:
    swapped = table("funder_name", "nomAttribuant", cells=NAMES)
    place = swapped[0].index("nomBeneficiaire")
    report = check([swapped[0], *([*row[:place], "Ville d'Essai", *row[place + 1 :]] for row in swapped[1:])]).report
    assert report.status == "held"
    assert "inversées" in "\n".join(report.questions)


# ---------------------------------------------------------------- beside a known format
BESIDE = {
    "a decision": ("Statut", ["Accordée", "Refusée"] * 3, "ce qui a été décidé"),
    "an opinion": ("Avis de la commission", ["Favorable", "Défavorable"] * 3, "ce qui a été décidé"),
    "a vote": ("Vote du conseil", ["Pour", "Contre"] * 3, "ce qui a été décidé"),
    "refusals in remarks": ("Observations", ["", "Refusé en commission"] * 3, "ce qui a été décidé"),
    "another stage": ("Montant engagé", ["500", "600"] * 3, "« Montant engagé »"),
    "another amount": ("Complément", ["50,00 €", "60,00 €"] * 3, "« Complément »"),
    "the same amount, spelled twice": ("Montant total de la subvention", ["50", "60"] * 3, "laquelle des deux compte"),
    "another year": ("Année de subvention", ["2020", "2021"] * 3, "L'exercice est-il celui"),
}  # fmt: skip


@pytest.mark.parametrize("case", BESIDE)
def test_a_column_that_would_change_the_figures_is_asked(case: str) -> None:
    header, cells, question = BESIDE[case]
    rows = table("funder_name", "nomAttribuant", without=("signed_date",) if "year" in case else ())
    report = check([[*rows[0], header], *([*row, cell] for row, cell in zip(rows[1:], cells, strict=True))]).report
    assert report.format == "scdl"
    assert report.status == "held"
    assert question in "\n".join(report.questions)
    assert "question" in "\n".join(report.messages)


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("Statut", ["Accordée"] * 6),
        ("Coût total du projet", ["9000"] * 6),
        ("Montant engagé", ["0"] * 6),
        ("Montant en euros", [str(1000 + 137 * n) for n in range(6)]),
        ("Commune", ["Essai"] * 6),
    ],
)
def test_a_column_that_changes_nothing_holds_nothing(header: str, cells: list[str]) -> None:
    rows = table("funder_name", "nomAttribuant")
    outcome = check([[*rows[0], header], *([*row, cell] for row, cell in zip(rows[1:], cells, strict=True))])
    assert outcome.report.status == "accepted", outcome.report.questions
    assert outcome.report.amounts == {"awarded": "8055.00"}


def test_what_was_paid_is_read_beside_what_was_awarded() -> None:
    rows = table("funder_name", "nomAttribuant")
    outcome = check([[*rows[0], "Montant versé"], *([*row, "500"] for row in rows[1:])])
    assert outcome.report.status == "accepted", outcome.report.questions
    assert outcome.report.amounts == {"awarded": "8055.00", "paid": "3000.00"}
    assert outcome.report.headline_stage == "awarded"


def test_the_value_of_an_aid_in_kind_is_no_grant() -> None:
    rows = table("amount_awarded", "montant des avantages en nature")
    report = check(rows).report
    assert report.status == "held"
    assert report.amounts == {}
