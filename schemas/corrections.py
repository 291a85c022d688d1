"""Corrections made by hand: `corrections.csv`, one cell a line, with who asked for it and why.

A correction names a line (`line`: deposit, sheet number from 0, row, as in `line_id`) or a case (`case`: its number),
the field, what the file says (`old`, blank for an empty cell) and what it should say (`new`, blank to empty it).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path

PATH = Path(__file__).parent / "corrections.csv"


class CorrectionsError(ValueError):
    """A corrections file that cannot be used; the message names the row."""


@dataclass(frozen=True)
class Correction:
    """One cell put right."""

    line: str
    case: str
    field: str
    old: str
    new: str
    reason: str
    author: str


@cache
def load_corrections(path: Path = PATH) -> tuple[Correction, ...]:
    """The corrections of `path`, in order; none when there is no such file.

    Raises `CorrectionsError` when a row names neither a line nor a case, or gives no reason or author.
    """
    if not path.is_file():
        return ()
    names = [field.name for field in fields(Correction)]
    with path.open(encoding="utf-8", newline="") as file:
        rows = [{name: (row.get(name) or "").strip() for name in names} for row in csv.DictReader(file)]
    for number, row in enumerate(rows, start=2):
        if bool(row["line"]) == bool(row["case"]):
            raise CorrectionsError(f"{path.name}, ligne {number} : indiquez une ligne ou un dossier, l'un des deux.")
        if not (row["field"] and row["reason"] and row["author"]):
            raise CorrectionsError(f"{path.name}, ligne {number} : le champ, le motif et l'auteur sont obligatoires.")
    return tuple(Correction(**row) for row in rows)
