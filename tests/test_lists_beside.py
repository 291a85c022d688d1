"""Two lists side by side: asked about, since the second one's amounts would go to the bodies of the first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pipelines.ingest.check import check_file
from pipelines.ingest.derive import Origin
from schemas.funder import Answer, FunderFile

if TYPE_CHECKING:
    from pipelines.ingest.report import Report

LEFT = [f"Amis {n};{100 * n + 50}" for n in range(1, 13)]
RIGHT = [f"École {n};{37 * n}" for n in range(1, 10)]
NAMES = [f"Équipe {n};{37 * n}" for n in range(1, 13)]


def read(titles: str, right: list[str], between: str, answer: str | None = None) -> Report:
    right = right + [";"] * (len(LEFT) - len(right))
    text = "\n".join([titles, *(f"{one}{between}{other}" for one, other in zip(LEFT, right, strict=True))])
    answers = () if answer is None else (Answer(about=answer, answer="no"),)
    return check_file(text.encode(), Origin("d", "essai", "subventions 2023.csv", FunderFile(answers=answers))).report


@pytest.mark.parametrize(
    ("titles", "right", "between"),
    [
        ("Association;Montant accordé;;Bidule;Subvention versée", NAMES, ";;"),  # an empty column apart
        ("Association;Montant accordé;Bidule;Subvention versée", NAMES[:9], ";"),  # a shorter list
        ("Association;Montant accordé;Bidule;Subvention versée", RIGHT + RIGHT[:3], ";"),  # names of organisations
        ("Association;Montant accordé;Club;Subvention versée", NAMES, ";"),  # a title of organisations
    ],
)
def test_a_list_beside_another_is_asked_about(titles: str, right: list[str], between: str) -> None:
    report = read(titles, right, between)
    assert report.status == "held"
    [question] = [question for question in report.questions if "côte à côte" in question]
    assert "« Association » (colonne A)" in question
    [about] = [each.about for each in report.to_choose if each.text == question]
    assert about is not None
    assert read(titles, right, between, about).status == "accepted"  # it told of the same lines


def test_words_about_the_same_lines_are_not() -> None:
    assert read("Association;Montant accordé;Bidule;Subvention versée", NAMES, ";").status == "accepted"
