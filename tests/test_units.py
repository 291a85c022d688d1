"""Amounts in thousands or millions of euros: asked, then read as their author says; nothing is multiplied unasked."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl
import pytest

from pipelines.ingest.amounts import parse_amounts
from pipelines.ingest.check import check_file
from pipelines.ingest.derive import Origin
from pipelines.ingest.units import unit_question
from schemas.funder import Answer, FunderFile

if TYPE_CHECKING:
    from pipelines.ingest.outcome import Outcome

LEGAL = (
    "nomAttribuant;idAttribuant;dateConvention;referenceDecision;nomBeneficiaire;idBeneficiaire;objet;{};nature;"
    "conditionsVersement;datesPeriodeVersement;idRAE;notificationUE;pourcentageSubvention"
)


def read(text: str, answer: str | None = None) -> Outcome:
    answers = () if answer is None else (Answer(file="liste.csv", about="unit", answer=answer),)
    return check_file(text.encode(), Origin("d", "essai", "liste.csv", FunderFile(answers=answers)))


def unknown(title: str, amounts: str = "12,5 7 30 4 8") -> str:
    lines = [f"Association {n};Projet {n};{amount};2023" for n, amount in enumerate(amounts.split(), start=1)]
    return "\n".join([f"Association;Objet;{title};Année", *lines])


def legal(title: str) -> str:
    lines = [
        f"Ville;21340172200011;2023-04-05;D{n};Association {n};;Projet;{n};aide en numéraire;unique;;;non;1"
        for n in range(1, 6)
    ]
    return "\n".join([LEGAL.format(title), *lines])


def euros(outcome: Outcome) -> list[Decimal]:
    return outcome.accepted["amount_awarded"].to_list()


@pytest.mark.parametrize(
    ("title", "answer", "first"),
    [
        ("Montant accordé (k€)", "thousand", "12500.00"),
        ("Montant accordé en milliers d'euros", "thousand", "12500.00"),
        ("Subvention accordée (en M€)", "million", "12500000.00"),
    ],
)
def test_what_the_author_answers_is_what_amounts_are(title: str, answer: str, first: str) -> None:
    asked = read(unknown(title)).report
    assert asked.status == "held"
    assert [(q.about, set(q.choices)) for q in asked.to_choose] == [("unit", {"euro", "thousand", "million"})]
    outcome = read(unknown(title), answer)
    assert outcome.report.status == "accepted", outcome.report.questions
    assert euros(outcome)[0] == Decimal(first)
    assert any("lus en milli" in message for message in outcome.report.messages)


def test_a_title_may_have_been_kept_when_the_cells_became_euros() -> None:
    outcome = read(unknown("Montant accordé (k€)", "12500 7000 30000 4000"), "euro")
    assert outcome.report.status == "accepted", outcome.report.questions
    assert euros(outcome)[0] == 12_500


def test_small_amounts_with_cents_may_be_thousands() -> None:
    asked = read(unknown("Montant accordé", "12,5 7,25 30 4 8,1 6")).report
    assert asked.status == "held"
    assert any("au-dessous de 100 euros" in question for question in asked.questions)


@pytest.mark.parametrize("text", [unknown("Montant accordé", "12500 7000 30000 4000"), legal("montant")])
def test_an_answer_multiplies_nothing_where_nothing_says_thousands(text: str) -> None:
    """The same file deposited again in euros, the answer still beside it."""
    before, after = read(text), read(text, "thousand")
    assert before.report.status == after.report.status == "accepted"
    assert euros(before) == euros(after)
    assert not any("lus en" in message for message in after.report.messages)


def test_a_known_format_in_thousands_is_read_as_answered() -> None:
    held = read(legal("montant (k€)"))
    assert held.report.status == "held"
    assert [q.about for q in held.report.to_choose] == ["unit"]
    outcome = read(legal("montant (k€)"), "thousand")
    assert outcome.report.status == "accepted", outcome.report.questions
    assert sum(euros(outcome)) == 15_000
    assert "Les montants sont lus en milliers d'euros, d'après votre réponse." in outcome.report.messages
    assert sum(euros(read(legal("montant")))) == 15


def test_a_total_in_thousands_is_checked_in_euros() -> None:
    right, wrong = (read(f"{unknown('Montant accordé (k€)')}\nTotal;;{total};", "thousand") for total in ("61,5", "60"))
    assert right.report.status == "accepted"
    assert sum(euros(right)) == 61_500
    assert wrong.report.status == "held"
    assert "total" in " ".join(wrong.report.questions).casefold()


def test_years_in_columns_are_multiplied_as_well() -> None:
    lines = [f"Association {n};{n},5;{n}" for n in range(1, 6)]
    text = "\n".join(["Association;Montant accordé 2022 (k€);Montant accordé 2023 (k€)", *lines])
    assert read(text).report.status == "held"
    outcome = read(text, "thousand")
    assert outcome.report.status == "accepted", outcome.report.questions
    assert sum(euros(outcome)) == 32_500


def test_no_single_answer_is_offered_for_columns_of_several_units() -> None:
    one = unit_question(["Montant demandé (€)", "Montant accordé (k€)"], [])
    assert one is not None
    assert set(one.choices) == {"euro"}
    other = unit_question(["Montant accordé"], ["Montants en francs CFA"])
    assert other is not None
    assert set(other.choices) == {"euro"}
    assert unit_question(["Montant accordé (€)"], ["Subventions 2023"]) is None


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["12", "1,5", None], [12_000, 1_500, None]),
        (["12", "500 €"], [12_000, 500]),  # this one says its own unit
        (["12 €", "500 €"], [12_000, 500_000]),  # the sign of all says nothing
        (["12 k€", "2 M€", "3"], [12_000, 2_000_000, 3_000]),
        (["0,0123456"], [Decimal("12.35")]),  # rounded to cents once multiplied
        (["(2)"], [-2_000]),
    ],
)
def test_a_cell_that_says_its_own_unit_keeps_it(cells: list[str | None], expected: list[int | Decimal | None]) -> None:
    assert parse_amounts(pl.Series(cells, dtype=pl.String), times=1_000).values.to_list() == expected
