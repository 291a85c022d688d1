"""The faults of the demonstration: a file with errors, a first version later corrected, a table nobody can read."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from pipelines.demo.applicants import dice

if TYPE_CHECKING:
    from pipelines.demo.applications import Line
    from pipelines.demo.layouts import Cell

MISSING_AT_FIRST = 2
WRONG_AT_FIRST = 3


def with_errors(lines: list[Line]) -> tuple[list[Line], frozenset[int]]:
    """`lines` with a dozen faults, and the positions of those that cannot be counted.

    Five lines must be rejected (two unreadable amounts, no applicant, text in the year, a year out of range); the
    others keep their line and lose a value.
    """
    spoilt = [dict(line) for line in lines]
    funded = [rank for rank, line in enumerate(spoilt)
              if line["decision_status"] == "awarded" and line["aid_form"] == "cash" and line["applicant_siret"]
              and line["applicant_rna"]]  # fmt: skip
    rejected: list[Line] = [
        {"amount_awarded": "douze mille"},
        {"amount_awarded": "voir délibération"},
        {"applicant_name": None, "applicant_siret": None, "applicant_rna": None, "case_number": None},
        {"fiscal_year": "exercice en cours", "decided_date": None, "deposited_date": None},
        {"fiscal_year": 2205},
    ]
    kept: list[Line] = [
        {"decided_date": "31/02/2025"},
        {"decided_date": "courant juin"},
        {"applicant_siret": _bad_key(str(spoilt[funded[7]]["applicant_siret"]))},
        {"applicant_rna": "W31-ABC"},
        {"title": "Distribution de colis, écrire à contact@exemple.invalid"},
        {"decision_status": "vu en bureau"},
        {"theme": "divers et variés"},
        {"amount_awarded": None},
        {"applicant_name": None},
    ]
    for rank, fault in zip(funded, (*rejected, *kept), strict=False):
        spoilt[rank] |= fault
    return spoilt, frozenset(funded[: len(rejected)])


def _bad_key(siret: str) -> str:
    return siret[:-1] + str((int(siret[-1]) + 1) % 10)


def first_version(lines: list[Line]) -> list[Line]:
    """What was sent before the correction: two lines missing, three sums wrong, one line too many."""
    early = [dict(line) for line in lines[:-MISSING_AT_FIRST]]
    yearly = [line for line in early if line["decision_status"] == "awarded" and not line["is_multi_year"]]
    for line in yearly[:WRONG_AT_FIRST]:
        line["amount_awarded"] = Decimal(str(line["amount_requested"])) / 2
    stray = next(line for line in early if line["decision_status"] == "refused")
    return [*early, {**stray, "case_number": f"{str(stray['case_number'])[:-4]}0999"}]


def unreadable_table(names: list[str]) -> list[list[Cell]]:
    """A council's working table: its own headings, two sums a line, no year anywhere."""
    rng = dice("unreadable")
    rows: list[list[Cell]] = [["Qui", "Pour quoi", "Col. A", "Col. B", "Bureau", "Suite"]]
    for name in names:
        first = Decimal(rng.randrange(2, 12) * 100)
        rows.append([name, rng.choice(["divers", "repas des aînés", "coup de main", "matériel"]), first,
                     first - Decimal(rng.randrange(0, 3) * 50), rng.choice(["vu", "revu", "à revoir"]),
                     rng.choice(["ok", "non", "?", None])])  # fmt: skip
    return rows
