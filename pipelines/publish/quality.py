"""Figures of quality: problems met by cause, and what files say or leave out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.publish import formats
from pipelines.publish.charts import Bars
from pipelines.publish.figure import Figure
from pipelines.publish.tables import Column, records
from schemas.issues import issue_kinds

if TYPE_CHECKING:
    import pandas as pd

SEVERITIES = {"error": "ligne écartée", "warning": "valeur écartée ou signalée", "info": "pour information"}


def issues(frame: pd.DataFrame, *, place: str, source: str) -> tuple[Figure, ...]:
    """Problems by cause; no figure when there is none."""
    frame = frame.dropna(subset=["n"])
    if frame.empty:
        return ()
    kinds = issue_kinds()
    made = frame.groupby(["code", "severity"], as_index=False)[["n"]].sum()
    made["label"] = [kinds[code].title if code in kinds else str(code) for code in made["code"]]
    made["severity_words"] = [SEVERITIES.get(str(value), str(value)) for value in made["severity"]]
    made["remedy"] = [kinds[code].remedy if code in kinds else None for code in made["code"]]
    made = made.sort_values(["n", "label", "severity"], ascending=[False, True, True], ignore_index=True)
    total = int(made["n"].sum())
    first = records(made)[0]
    return (
        Figure(
            id="causes",
            headline=(
                f"{formats.plural(total, 'problème signalé', 'problèmes signalés')}, de "
                f"{formats.plural(len(made), 'sorte')}"
            ),
            subtitle=f"Problèmes par cause, {place}",
            summary=f"Le plus fréquent : {first['label']} ({formats.plural(first['n'], 'fois', 'fois')}).",
            frame=made,
            columns=(
                Column("label", "Problème", header=True),
                Column("severity_words", "Effet"),
                Column("n", "Nombre", "count"),
                Column("remedy", "Que faire"),
            ),
            chart=Bars("label", "n", kind="count", top=12),
            coverage=f"Sur {formats.plural(total, 'problème')}",
            source=source,
            method="qualite",
        ),
    )


def fields(frame: pd.DataFrame, *, place: str, source: str) -> tuple[Figure, ...]:
    """The share of accepted lines that state each field; no figure when there is no field."""
    frame = frame.dropna(subset=["n_lines", "n_filled"])
    if frame.empty:
        return ()
    made = frame.groupby(["field", "title"], as_index=False)[["n_filled", "n_lines"]].sum()
    made["share"] = (made["n_filled"] / made["n_lines"]).where(made["n_lines"] > 0)
    made["n_missing"] = made["n_lines"] - made["n_filled"]
    made = made.sort_values(["share", "title"], ascending=[False, True], ignore_index=True)
    lines = int(made["n_lines"].max())
    never = int((made["n_filled"] == 0).sum())
    return (
        Figure(
            id="champs",
            headline=(
                f"{formats.plural(len(made) - never, 'information renseignée', 'informations renseignées')} au "
                f"moins une fois, sur {formats.count(len(made))} possibles"
            ),
            subtitle=f"Part des lignes acceptées où chaque information est renseignée, {place}",
            summary=(
                f"{formats.plural(never, 'information ne figure', 'informations ne figurent')} dans aucun "
                "fichier. Le graphique montre les 25 plus souvent renseignées."
            ),
            frame=made,
            columns=(
                Column("title", "Information", header=True),
                Column("n_filled", "Renseignée", "count"),
                Column("n_missing", "Absente", "count"),
                Column("share", "Part", "share"),
            ),
            chart=Bars("title", "share", kind="share", top=25),
            coverage=f"Sur {formats.plural(lines, 'ligne acceptée', 'lignes acceptées')}",
            source=source,
            method="qualite",
        ),
    )
