"""The sheets that we add to workbooks: known again by their first cell, so that they are never read as data.

A sheet keeps its first cell when it is renamed, moved or saved in another format; an author's own « Guide » is not
left out for its name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.ingest.sheet import Sheet

TO_CORRECT = "À corriger : feuille ajoutée par Qui finance quoi, qui n'est pas relue"
QUESTIONS = "Nos questions sur votre fichier (Qui finance quoi) : choisissez vos réponses"
GUIDE = "Mode d'emploi du modèle Qui finance quoi (cette feuille n'est pas lue)"
EXAMPLES = "Exemples fictifs du modèle Qui finance quoi (cette feuille n'est pas lue)"
LISTS = "Listes de valeurs du modèle Qui finance quoi (cette feuille n'est pas lue)"

_REASONS = {
    TO_CORRECT: "feuille ajoutée par nous : la liste des points à corriger",
    QUESTIONS: "feuille ajoutée par nous : des questions et vos réponses",
    GUIDE: "feuille du modèle : le mode d'emploi",
    EXAMPLES: "feuille du modèle : des exemples fictifs",
    LISTS: "feuille du modèle : les listes de valeurs",
}


def is_own(first_cell: object) -> bool:
    """Whether a sheet with this text in A1 is one of ours."""
    return first_cell in _REASONS


def why_own(sheet: Sheet) -> str | None:
    """Why a sheet is left out when it is one of ours (French); None when it is the author's."""
    top = sheet.cells.head(1)
    if "A" not in top.columns or top["row"].to_list() != [1]:
        return None
    return _REASONS.get(top["A"][0] or "")
