"""A row without anybody that says another's case again; a column that says who is a natural person."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipelines.ingest.check import check_file
from pipelines.ingest.derive import Origin
from schemas.funder import FunderFile

if TYPE_CHECKING:
    from pipelines.ingest.outcome import Outcome

VOTED = (
    "Numéro de dossier;Année budgétaire;Collectivité;Nom bénéficiaire;Numéro SIRET;Objet du dossier;Montant voté;"
    "Direction;Nature de la subvention;Secteurs d'activités définies par l'association"
)
ANNEX = (
    "Publication;Collectivité;Nom de l'organisme bénéficiaire;Catégorie du bénéficiaire;Nature juridique du "
    "bénéficiaire;Montant de la subvention;Prestations en nature"
)


def read(*lines: str) -> Outcome:
    return check_file("\n".join(lines).encode(), Origin("d", "essai", "liste.csv", FunderFile()))


def voted(case: str, name: str, amount: str, year: int = 2024) -> str:
    return f"{case};{year};Ville;{name};;Projet;{amount};DAC;Projet;Sport"


def test_a_row_without_anybody_that_says_a_case_again_is_not_counted() -> None:
    outcome = read(
        VOTED,
        voted("D1", "", "500"),
        voted("D1", "Les Amis", "500"),
        voted("D2", "Le Club", "300"),
        voted("D3", "", "700"),  # of no other row: it stays
        voted("D2", "", "301"),  # another amount: it stays
        voted("D2", "", "300", 2023),  # another year: it stays
    )
    [sheet] = [sheet for sheet in outcome.report.sheets if sheet.kept]
    assert (sheet.rows_read, sheet.rows_accepted, sheet.rows_rejected, sheet.rows_ignored) == (6, 5, 0, 1)
    assert sheet.ignored == {"répète, sans demandeur, le dossier d'une autre ligne": 1}
    assert outcome.accepted["amount_awarded"].sum() == 500 + 300 + 700 + 301 + 300


def test_a_voted_amount_of_zero_is_not_taken_for_a_refusal() -> None:
    outcome = read(VOTED, voted("D1", "Les Amis", "0"), voted("D2", "Le Club", "300"))
    assert outcome.report.decisions == {"awarded": 1, "unknown": 1}


@pytest.mark.parametrize(
    ("nature", "kind", "basis"),
    [
        ("Associations", "legal", "column"),
        ("Personnes physiques", "natural", "column"),
        ("Autres", "unknown", None),
        ("Guilde", "unknown", None),  # a word that the format does not know says nothing
    ],
)
def test_the_column_that_says_who_is_a_person_is_followed(nature: str, kind: str, basis: str | None) -> None:
    outcome = read(ANNEX, f"CA 2023;Paris;ZED DURAND;Personnes de droit privé;{nature};1000.5;0")
    assert outcome.report.status == "accepted"
    line = outcome.accepted.row(0, named=True)
    assert (line["applicant_kind"], line["applicant_kind_basis"]) == (kind, basis)
    assert (line["fiscal_year"], line["amount_paid"], line["record_kind"]) == (2023, 1000.5, "payment")


def test_inference_follows_such_a_column_too() -> None:
    lines = [
        f"ZED {n};{nature};{100 * n};2023" for n, nature in enumerate(("Particuliers", "Associations", "Divers"), 1)
    ]
    outcome = read("Bénéficiaire;Nature juridique;Montant accordé;Année", *lines)
    assert outcome.report.status == "accepted", outcome.report.questions
    assert outcome.accepted["applicant_kind"].to_list() == ["natural", "legal", "unknown"]
    titled = read("Bénéficiaire;Nature juridique;Montant accordé;Année", lines[1], lines[2])
    assert titled.accepted["applicant_kind"].to_list() == ["legal", "unknown"]
    other = read("Bénéficiaire;Pour;Montant accordé;Année", lines[1], lines[2])
    assert other.accepted["applicant_kind"].to_list() == ["unknown", "unknown"]  # for whom, perhaps: not said of whom


def test_a_civility_still_tells_a_person_from_an_organisation() -> None:
    outcome = read(ANNEX, "CA 2023;Paris;Mme Jeanne Exemple;Personnes de droit privé;Autres;100;0")
    assert outcome.accepted["applicant_kind"].to_list() == ["natural"]
