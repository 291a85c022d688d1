"""Figures of refusals. Coverage comes before rates; what is not published or too small to publish is said in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from pipelines.publish import formats, headlines
from pipelines.publish.charts import Bars, Dots
from pipelines.publish.figure import Figure
from pipelines.publish.tables import NOT_APPLICABLE, NOT_PUBLISHED, SUPPRESSED, Column, Row, records
from schemas.codelist import labels

if TYPE_CHECKING:
    from collections.abc import Callable

MARKS = {"not_published": NOT_PUBLISHED, "suppressed": SUPPRESSED, "not_applicable": NOT_APPLICABLE}
PUBLISHES = {
    "yes": "publiés",
    "partly": "publiés en partie",
    "no": NOT_PUBLISHED,
    "unknown": "non publié (rien ne le dit)",
}
"""Words for `refusals_published`."""

COUNTS = (
    ("n_awarded", "Accordées"),
    ("n_refused", "Refusées"),
    ("n_inadmissible", "Irrecevables"),
    ("n_withdrawn", "Retirées"),
    ("n_closed", "Sans suite"),
    ("n_pending", "En instruction"),
)


def published_words(value: object) -> str:
    """`publiés`, `non publié`…"""
    return PUBLISHES.get(str(value), PUBLISHES["unknown"])


def mark(column: str) -> Callable[[Row], str]:
    """The mark of a missing value of `column`, from the row's `status` and its `suppressed_columns`."""

    def of(row: Row) -> str:
        suppressed = row.get("suppressed_columns")
        if isinstance(suppressed, str) and column in [name.strip() for name in suppressed.split(",")]:
            return SUPPRESSED
        return MARKS.get(str(row["status"]), NOT_APPLICABLE)

    return of


def note(row: Row) -> str:
    """The words at the end of a row: the rate with its base, the bounds, or why there is none."""
    status, rate = str(row["status"]), row["refusal_rate"]
    if status == "shown" and not formats.is_missing(rate):
        base = (
            ""
            if formats.is_missing(row["n_decided"])
            else f" ({_of(row['n_refused'])}sur {formats.count(row['n_decided'])})"
        )
        return f"{formats.percent(float(rate))}{base}{_dated(row)}"
    if status == "bounds" and not formats.is_missing(row["bound_low"]):
        low, high = (formats.percent(float(row[name])) for name in ("bound_low", "bound_high"))
        return f"entre {low} et {high}{_dated(row)}"
    return MARKS.get(status, NOT_APPLICABLE)


def _dated(row: Row) -> str:
    """The date of figures that were kept from a former publication."""
    is_former = row.get("is_former")
    return f", chiffres du {formats.date(row['figures_date'])}" if is_former is not None and bool(is_former) else ""


def _of(value: Any) -> str:
    return "" if formats.is_missing(value) else f"{formats.count(value)} "


def tidy(frame: pd.DataFrame, *, label: Callable[[Row], str]) -> pd.DataFrame:
    """The rows with their `label`, their `note`, and one interval: Wilson's for a rate, the bounds while undecided."""
    rows = records(frame)
    made = frame.assign(label=[label(row) for row in rows], note=[note(row) for row in rows])
    is_bounds = made["status"] == "bounds"
    for side in ("low", "high"):
        made[f"interval_{side}"] = made[f"wilson_{side}"].where(~is_bounds, made[f"bound_{side}"]).astype(float)
    made["interval_kind"] = [
        "bornes"
        if row["status"] == "bounds"
        else "Wilson 95 %, indicatif"
        if row["status"] == "shown"
        else NOT_APPLICABLE
        for row in rows
    ]
    words = [STATUS_WORDS.get(str(row["status"]), NOT_APPLICABLE) for row in rows]
    made["status_words"] = [f"{word}{_dated(row)}" for word, row in zip(words, rows, strict=True)]
    return made


STATUS_WORDS = {
    "shown": "publié",
    "bounds": "décisions en cours : bornes seules",
    "not_published": NOT_PUBLISHED,
    "suppressed": SUPPRESSED,
    "not_applicable": "sans objet",
}


def rates(
    frame: pd.DataFrame,
    *,
    id: str,
    title: str,
    label: Callable[[Row], str],
    subtitle: str,
    source: str,
    href: Callable[[Row], str | None] | None = None,
    interactive: bool = False,
) -> Figure:
    """A dot plot of refusal rates, one row of `frame` a row, in its order. Rows without a rate keep their mark."""
    made = tidy(frame, label=label)
    shown = made[made["status"] == "shown"]
    known = [float(rate) for rate in shown["refusal_rate"].dropna()]
    without = {status: int((made["status"] == status).sum()) for status in ("not_published", "suppressed", "bounds")}
    hidden = [
        words
        for words in (
            f"{formats.count(without['not_published'])} sans refus publiés" if without["not_published"] else "",
            f"{formats.count(without['suppressed'])} avec un effectif trop faible" if without["suppressed"] else "",
            f"{formats.count(without['bounds'])} avec trop de décisions en attente" if without["bounds"] else "",
        )
        if words
    ]
    decided = shown["n_decided"].fillna(0).sum()
    refused = shown["n_refused"].fillna(0).sum()
    summary = (
        f"Un taux est publié pour {formats.plural(len(known), 'cas', 'cas')} sur {formats.count(len(made))}"
        + (
            f" : {formats.plural(int(refused), 'refus', 'refus')} sur {formats.plural(int(decided), 'décision')}."
            if known
            else "."
        )
        + (f" Les autres : {', '.join(hidden)}." if hidden else "")
    )
    kept = [
        "label",
        "fiscal_year",
        "n_decided",
        "n_awarded",
        "n_refused",
        "refusal_rate",
        "interval_low",
        "interval_high",
    ]
    extra = [
        name
        for name in ("funder_id", "service_key", "departement_code", "suppressed_columns", "bound_low", "bound_high")
        if name in made
    ]
    return Figure(
        id=id,
        headline=headlines.rate_range(known) if known else "Aucun taux de refus n'est publiable ici",
        subtitle=subtitle,
        summary=summary,
        frame=made[[*kept, "interval_kind", "status", "status_words", "note", *extra]].reset_index(drop=True),
        columns=(
            Column("label", title, "name", href=href, header=True),
            *_year_column(title),
            Column("n_awarded", "Accordées", "count"),
            Column("n_refused", "Refusées", "count", absent=mark("n_refused")),
            Column("n_decided", "Décisions", "count", absent=mark("n_decided")),
            Column("refusal_rate", "Taux de refus", "share", absent=note),
            Column("interval_low", "De", "share", absent=mark("wilson_low")),
            Column("interval_high", "À", "share", absent=mark("wilson_high")),
            Column("interval_kind", "Intervalle"),
        ),
        chart=Dots("label", "refusal_rate", "note", low="interval_low", high="interval_high"),
        coverage=(
            f"Sur {formats.plural(len(made), 'ligne')}, {formats.count(len(made) - len(known))} sans taux publiable"
        ),
        source=source,
        method="refus",
        interactive=interactive and bool(known),
        note="Le graphique montre les 40 premières lignes, le tableau les a toutes." if len(made) > 40 else "",
    )


def _year_column(title: str) -> tuple[Column, ...]:
    return () if title == "Exercice" else (Column("fiscal_year", "Exercice", "year"),)


def by_year(frame: pd.DataFrame, *, place: str, source: str) -> list[Figure]:
    """Rates, then outcomes, by fiscal year, of one funder or service."""

    def label(row: Row) -> str:
        return str(int(row["fiscal_year"]))

    rate_title, outcome_title = (
        f"Refus ÷ (accords + refus), par exercice, {place}",
        f"Demandes par issue et par exercice, {place}",
    )
    return [
        rates(frame, id="taux-de-refus", title="Exercice", label=label, subtitle=rate_title, source=source),
        outcomes(frame, id="devenir", title="Exercice", label=label, subtitle=outcome_title, source=source),
    ]


def outcomes(
    frame: pd.DataFrame,
    *,
    id: str,
    title: str,
    label: Callable[[Row], str],
    subtitle: str,
    source: str,
    href: Callable[[Row], str | None] | None = None,
) -> Figure:
    """What became of applications: a table of counts, each with its own mark when it may not be shown."""
    made = tidy(frame, label=label)
    hidden = sum(int(made[name].isna().sum()) for name, _ in COUNTS)
    extra = [name for name in ("funder_id", "service_key", "departement_code", "suppressed_columns") if name in made]
    granted = formats.plural(int(made["n_awarded"].fillna(0).sum()), "demande accordée", "demandes accordées")
    return Figure(
        id=id,
        headline="Ce que sont devenues les demandes",
        subtitle=subtitle,
        summary=f"{granted}. {_inadmissible_words(made['n_inadmissible'])}",
        frame=made[
            ["label", "fiscal_year", *(name for name, _ in COUNTS), "status", "status_words", *extra]
        ].reset_index(drop=True),
        columns=(
            Column("label", title, "name", href=href, header=True),
            *_year_column(title),
            *(Column(name, words, "count", absent=mark(name)) for name, words in COUNTS),
        ),
        chart=None,
        coverage=f"Sur {formats.plural(len(made), 'ligne')}, {formats.plural(hidden, 'case')} sans nombre publiable",
        source=source,
        method="issues",
    )


def _inadmissible_words(numbers: pd.Series[float]) -> str:
    known = numbers.dropna()
    if known.empty:
        return "Aucun nombre de demandes irrecevables n'est publiable."
    total = int(known.sum())
    if total == 0:
        return "Aucune demande irrecevable, là où leur nombre est publiable."
    words = formats.plural(total, "demande irrecevable", "demandes irrecevables")
    return f"{words} là où leur nombre est publiable : dossier incomplet, hors délai ou hors critères."


def reasons(frame: pd.DataFrame, *, id: str, subtitle: str, source: str) -> Figure | None:
    """Why applications failed, by reason, over all rows of `frame`; None when nothing is published."""
    known = frame.dropna(subset=["n"])
    known = known[known["n"] > 0]
    if known.empty:
        return None
    words = labels("refusal_reason")
    made = known.groupby(["stage", "refusal_reason"], as_index=False)[["n"]].sum()
    made["label"] = [words.get(str(code), str(code)) for code in made["refusal_reason"]]
    made["stage_words"] = [
        "irrecevable" if stage == "inadmissible" else "refusée après examen" for stage in made["stage"]
    ]
    made = made.sort_values(["n", "label"], ascending=[False, True]).reset_index(drop=True)
    total = int(made["n"].sum())
    listed = [(str(label), float(n)) for label, n in zip(made["label"], made["n"], strict=True)]
    top = f"{listed[0][0]} ({formats.plural(listed[0][1], 'demande')})"
    return Figure(
        id=id,
        headline="Motifs de refus et d'irrecevabilité publiés",
        subtitle=subtitle,
        summary=(
            f"Le motif le plus fréquent est « {top} », sur {formats.plural(total, 'demande')} dont le motif est publié."
        ),
        frame=made,
        columns=(
            Column("label", "Motif", header=True),
            Column("stage_words", "Étape"),
            Column("n", "Demandes", "count"),
        ),
        chart=Bars("label", "n", kind="count"),
        coverage=(
            f"Sur {formats.plural(total, 'demande')} ; {formats.plural(len(frame) - len(known), 'case')} sans "
            "nombre publiable"
        ),
        source=source,
        method="motifs",
    )


def publication_coverage(services: list[Row], *, id: str, source: str) -> Figure:
    """How many services publish their refusals, in words and in a picture: the first figure of the subject."""
    order = ("yes", "partly", "no", "unknown")
    numbers = {key: sum(str(row["refusals_published"]) == key for row in services) for key in order}
    made = pd.DataFrame(
        {
            "refusals_published": list(order),
            "label": [formats.sentence(PUBLISHES[k]) for k in order],
            "n": [numbers[k] for k in order],
        }
    )
    published = numbers["yes"] + numbers["partly"]
    return Figure(
        id=id,
        headline=headlines.coverage(published, len(services)),
        subtitle="Services selon que leurs refus sont publiés, tous exercices",
        summary=(
            f"{formats.plural(numbers['yes'], 'service')} pour tous leurs exercices, "
            f"{formats.count(numbers['partly'])} pour une partie ; "
            f"{formats.count(numbers['no'])} déclarent ne pas les publier et, pour "
            f"{formats.count(numbers['unknown'])}, rien ne permet de le dire."
        ),
        frame=made,
        columns=(Column("label", "Refus", header=True), Column("n", "Services", "count")),
        chart=Bars("label", "n", kind="count"),
        coverage=f"Sur {formats.plural(len(services), 'service')}",
        source=source,
        method="couverture",
    )
