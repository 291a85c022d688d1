"""Figures of quality: problems met by cause, and what files leave out of what readers look for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from pipelines.publish import formats, headlines
from pipelines.publish.charts import Bars
from pipelines.publish.figure import Figure
from pipelines.publish.tables import Column, records
from schemas.issues import issue_kinds
from schemas.useful_fields import useful_fields

if TYPE_CHECKING:
    from pipelines.publish.tables import Row
    from schemas.useful_fields import UsefulField

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
    """The share of awards that state each information readers look for, the scarcest first; no figure without awards.

    What several fields may state counts once, by the one filled most in each file.
    """
    frame = frame.dropna(subset=["n_lines", "n_filled"])
    sought = [each for each in useful_fields() if not each.of_refusals]
    rows = [_filled(frame, each) for each in sought]
    made = pd.DataFrame(rows)
    if made.empty or not made["n_lines"].all():
        return ()
    made["share"] = made["n_filled"] / made["n_lines"]
    made["n_missing"] = made["n_lines"] - made["n_filled"]
    made = made.sort_values(["share", "title"], ignore_index=True)
    first = records(made)[0]
    return (
        Figure(
            id="champs",
            headline=headlines.missing([float(share) for share in made["share"]]),
            subtitle=f"Part des attributions qui donnent chaque information utile aux lecteurs, {place}",
            summary=f"La plus rare : {first['title']} ({formats.percent(float(first['share']))} des attributions).",
            frame=made,
            columns=(
                Column("title", "Information", header=True),
                Column("n_filled", "Renseignée", "count"),
                Column("n_missing", "Absente", "count"),
                Column("share", "Part", "share"),
                Column("why", "Pourquoi elle compte"),
            ),
            chart=Bars("title", "share", kind="share"),
            coverage=f"Sur {formats.plural(int(made['n_lines'].max()), 'attribution')}",
            source=source,
            method="qualite",
        ),
    )


def _filled(frame: pd.DataFrame, sought: UsefulField) -> Row:
    """How many awards state what is `sought`, of how many, all files together."""
    stated = frame[frame["field"].isin(sought.fields)].groupby("deposit_id")[["n_filled", "n_lines"]].max().sum()
    why = formats.sentence(sought.why)
    return {"title": sought.title, "n_filled": int(stated["n_filled"]), "n_lines": int(stated["n_lines"]), "why": why}
