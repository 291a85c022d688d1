"""What the page of quality says is missing, and what « qui fait quoi » leaves out where no directory says it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from pipelines.publish import headlines, quality
from pipelines.publish.who_does_what import NOT_IN_DIRECTORY
from schemas.contracts import field_title
from schemas.useful_fields import useful_fields
from tests.publish_database import site

if TYPE_CHECKING:
    from pathlib import Path

HALF = "dans plus de la moitié des attributions"


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ([0.0, 0.4, 0.9], f"2\u00a0informations utiles sur 3 manquent {HALF}"),
        ([0.4, 1.0], f"1\u00a0information utile sur 2 manque {HALF}"),
        ([0.5, 1.0], "1\u00a0information utile sur 2 manque dans une partie des attributions"),
        ([1.0, 1.0], "Les 2 informations utiles sont toujours là"),
    ],
)
def test_missing_claims_only_what_holds(shares: list[float], expected: str) -> None:
    assert headlines.missing(shares) == expected


def test_useful_fields_are_fields_of_the_contract() -> None:
    assert all(field_title(name) for each in useful_fields() for name in each.fields)


def _filled(deposit: str, lines: int, **filled: int) -> list[dict[str, object]]:
    names = {name: 0 for each in useful_fields() if not each.of_refusals for name in each.fields} | filled
    return [
        {"deposit_id": deposit, "field": name, "title": name, "n_filled": n, "n_lines": lines}
        for name, n in names.items()
    ]


def test_what_any_of_several_fields_gives_is_counted_once_a_file() -> None:
    frame = pd.DataFrame(
        [
            *_filled("a", 10, decided_date=4, signed_date=10, title=10),
            *_filled("b", 30, decided_date=20, signed_date=5, title=30),
        ]
    )
    (figure,) = quality.fields(frame, place="toutes sources", source="deux fichiers")
    found = figure.frame.set_index("title")
    assert (found.loc["Date de décision", "n_filled"], found.loc["Date de décision", "n_lines"]) == (30, 40)
    assert found.loc["Objet", "share"] == 1
    assert list(figure.frame["share"]) == sorted(figure.frame["share"])
    assert "Motif de refus" not in found.index  # awards have none
    assert figure.headline == f"6\u00a0informations utiles sur 8 manquent {HALF}"


def test_no_file_gives_no_figure() -> None:
    columns = ["deposit_id", "field", "title", "n_filled", "n_lines"]
    assert quality.fields(pd.DataFrame(columns=columns), place="toutes sources", source="aucun fichier") == ()


def test_no_table_repeats_that_nothing_is_in_a_directory(run_folder: Path) -> None:
    root = site(run_folder)
    kinds = set()
    for path in sorted((root / "qui-fait-quoi").glob("*.html")):
        for table in path.read_text(encoding="utf-8").split("<table")[1:]:
            rows = table.partition("</table>")[0].partition("<tbody>")[2].split("</tr>")[:-1]
            said = [NOT_IN_DIRECTORY in row.replace("\u2019", "'") for row in rows]
            assert not said or not all(said), path.name
            kinds.add(">Contact<" in table)
    assert kinds == {True, False}  # the site has tables of both kinds
