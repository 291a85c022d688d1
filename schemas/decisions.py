"""Decisions made by hand, one pair a line, with who decided and why: on organisations, and on lines of two depositors.

`left` and `right` are keys as the review lists show them. `organisation_decisions.csv`: keys of the table
`organisation_keys` (`siren:123456789`, `rna:W342000000`, `local:<financeur>:<numéro>`, `name:<financeur>:<nom>`).
`line_decisions.csv`: keys of the table `linked_lines_to_review` (`<dossier du déposant>:<application_id>`). `decision`
is `same` or `different`; `date` is the day of the decision, AAAA-MM-JJ.
"""

from __future__ import annotations

import csv
from collections import deque
from dataclasses import dataclass
from datetime import date
from pathlib import Path

ORGANISATIONS = Path(__file__).parent / "organisation_decisions.csv"
LINES = Path(__file__).parent / "line_decisions.csv"
SAME, DIFFERENT = "same", "different"
COLUMNS = ("left", "right", "decision", "author", "reason", "date")


class DecisionsError(ValueError):
    """A decisions file that cannot be followed; the message names the file, the line and the remedy."""


@dataclass(frozen=True)
class Decision:
    """One pair decided. `line`: its line in the file, the header being line 1."""

    line: int
    left: str
    right: str
    decision: str
    author: str
    reason: str
    date: date

    @property
    def pair(self) -> frozenset[str]:
        """The two keys, whatever their order."""
        return frozenset((self.left, self.right))


def load_decisions(path: Path) -> tuple[Decision, ...]:
    """The decisions of `path` in order; none when there is no such file.

    Raises `DecisionsError` when a column or a cell is missing, a word or a date is unknown, a pair is one key twice,
    decided twice or both ways, or when decisions contradict each other in a circle (A = B, B = C, A ≠ C).
    """
    if not path.is_file():
        return ()
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if missing := [name for name in COLUMNS if name not in (reader.fieldnames or ())]:
            raise DecisionsError(f"{path.name}, ligne 1 : colonne absente : {', '.join(missing)}. Ajoutez-la.")
        decisions = tuple(_decision(path, reader.line_num, row) for row in reader if any(row.values()))
    _check_pairs(path, decisions)
    _check_circles(path, decisions)
    return decisions


def _decision(path: Path, line: int, row: dict[str, str | None]) -> Decision:
    cells = {name: (row.get(name) or "").strip() for name in COLUMNS}
    where = f"{path.name}, ligne {line}"
    if empty := [name for name, text in cells.items() if not text]:
        raise DecisionsError(f"{where} : cellule vide : {', '.join(empty)}. Toutes les colonnes sont obligatoires.")
    if cells["decision"] not in (SAME, DIFFERENT):
        raise DecisionsError(f"{where} : décision inconnue « {cells['decision']} ». Écrivez same ou different.")
    if cells["left"] == cells["right"]:
        raise DecisionsError(f"{where} : « {cells['left']} » est comparé à lui-même. Corrigez l'un des deux.")
    try:
        day = date.fromisoformat(cells.pop("date"))
    except ValueError as error:
        raise DecisionsError(f"{where} : date illisible. Écrivez-la AAAA-MM-JJ.") from error
    return Decision(line, **cells, date=day)


def _check_pairs(path: Path, decisions: tuple[Decision, ...]) -> None:
    seen: dict[frozenset[str], Decision] = {}
    for decision in decisions:
        former = seen.setdefault(decision.pair, decision)
        if former is decision:
            continue
        what = "le contraire" if former.decision != decision.decision else "déjà la même chose"
        raise DecisionsError(
            f"{path.name}, ligne {decision.line} : la ligne {former.line} dit {what} de « {decision.left} » et"
            f" « {decision.right} ». Gardez une seule des deux lignes."
        )


def _check_circles(path: Path, decisions: tuple[Decision, ...]) -> None:
    partners: dict[str, list[tuple[str, int]]] = {}
    for decision in decisions:
        if decision.decision == SAME:
            partners.setdefault(decision.left, []).append((decision.right, decision.line))
            partners.setdefault(decision.right, []).append((decision.left, decision.line))
    for decision in decisions:
        if decision.decision == DIFFERENT and (lines := _way(partners, decision.left, decision.right)):
            said = ", ".join(map(str, sorted(lines)))
            raise DecisionsError(
                f"{path.name}, ligne {decision.line} : cercle contradictoire : les lignes {said} disent que"
                f" « {decision.left} » et « {decision.right} » ne font qu'un, et celle-ci qu'ils font deux."
                " Retirez l'une d'elles."
            )


def _way(partners: dict[str, list[tuple[str, int]]], start: str, end: str) -> list[int]:
    """The lines by which `start` is the same as `end`; none when they do not meet."""
    ways: dict[str, list[int]] = {start: []}
    queue = deque([start])
    while queue:
        here = queue.popleft()
        for other, line in partners.get(here, ()):
            if other not in ways:
                ways[other] = [*ways[here], line]
                queue.append(other)
    return ways.get(end, [])
