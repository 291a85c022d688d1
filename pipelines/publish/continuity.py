"""Figures of continuity: who is funded again, for how many years, and how much of it is promised for several years."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.publish import formats, headlines
from pipelines.publish.charts import Bars, Dots, YearGrid
from pipelines.publish.figure import Figure
from pipelines.publish.tables import Column, records

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from pipelines.publish.tables import Row

NOT_OBSERVED = "– (année voisine sans données complètes)"
CENSORED = (
    "La première année des données d'un financeur, tous ses bénéficiaires semblent nouveaux : "
    "ce qui précède n'est pas observable. Personne n'est compté comme perdu la dernière année, ni d'après un exercice "
    "en cours ou presque vide."
)


def retention(
    frame: pd.DataFrame,
    *,
    id: str,
    title: str,
    label: Callable[[Row], str],
    subtitle: str,
    source: str,
    headline: str | None = None,
    span: str = "toutes années observables réunies",
    href: Callable[[Row], str | None] | None = None,
    interactive: bool = False,
) -> Figure:
    """Shares of beneficiaries funded again the next year, one row of `frame` a row, in its order."""
    rows = records(frame)
    made = frame.assign(label=[label(row) for row in rows], note=[_retention_note(row) for row in rows])
    known = made.dropna(subset=["retention_rate"])
    rates = {int(y): float(r) for y, r in zip(known["fiscal_year"], known["retention_rate"], strict=True)}
    kept, funded = int(known["n_kept_next"].fillna(0).sum()), int(known["n_funded"].sum())
    if funded:
        verb = "financés" if kept > 1 else "financé"
        summary = (
            f"{formats.plural(kept, 'bénéficiaire')} {verb} de nouveau l'année suivante sur "
            f"{formats.count(funded)}, {span}."
        )
    else:
        summary = "Aucune paire d'années qui se suivent n'est observable : rien ne peut être dit de la continuité."
    names = ["n_funded", "n_entries", "n_renewals", "n_returns", "n_kept_next", "n_lost_next", "retention_rate"]
    extra = [name for name in ("funder_id", "is_next_observed", "is_previous_observed") if name in made]
    return Figure(
        id=id,
        headline=headline or headlines.retention(rates),
        subtitle=subtitle,
        summary=summary,
        frame=made[["label", "fiscal_year", *names, "note", *extra]].reset_index(drop=True),
        columns=(
            Column("label", title, "name", href=href, header=True),
            *(() if title == "Exercice" else (Column("fiscal_year", "Exercice", "year"),)),
            Column("n_funded", "Financés", "count"),
            Column("n_entries", "Entrées", "count", absent=NOT_OBSERVED),
            Column("n_renewals", "Renouvelés", "count", absent=NOT_OBSERVED),
            Column("n_returns", "Retours", "count", absent=NOT_OBSERVED),
            Column("n_kept_next", "Financés l'année suivante", "count", absent=NOT_OBSERVED),
            Column("n_lost_next", "Non financés l'année suivante", "count", absent=NOT_OBSERVED),
            Column("retention_rate", "Maintien", "share", absent=NOT_OBSERVED),
        ),
        chart=Dots("label", "retention_rate", "note"),
        coverage=(
            f"Sur {formats.plural(funded, 'bénéficiaire financé', 'bénéficiaires financés')} ; "
            f"{formats.plural(len(made) - len(known), 'ligne')} sans année suivante observée"
        ),
        source=source,
        method="maintien",
        interactive=interactive and bool(rates),
        note=CENSORED,
    )


def _retention_note(row: Row) -> str:
    rate = row["retention_rate"]
    if formats.is_missing(rate):
        return "–"
    return (
        f"{formats.percent(float(rate), decimals=0)} ({formats.count(row['n_kept_next'])} sur "
        f"{formats.count(row['n_funded'])})"
    )


def years_funded(frame: pd.DataFrame, *, id: str, place: str, source: str) -> Figure:
    """Beneficiaries by number of years funded. `frame` has `years_funded` and `n_beneficiaries`."""
    made = frame.groupby("years_funded", as_index=False)[["n_beneficiaries"]].sum().sort_values("years_funded")
    total = int(made["n_beneficiaries"].sum())
    made["share"] = made["n_beneficiaries"] / total
    made["label"] = [formats.plural(int(n), "année") for n in made["years_funded"]]
    once = int(made.loc[made["years_funded"] == 1, "n_beneficiaries"].sum())
    share = once / total if total else 0.0
    headline = "Nombre d'années financées par bénéficiaire"
    if share >= headlines.MAJORITY:
        headline = f"{formats.percent(share, decimals=0)} des bénéficiaires financés une seule année"
    return Figure(
        id=id,
        headline=headline,
        subtitle=f"Bénéficiaires par nombre d'exercices financés, {place}",
        summary=(
            f"{formats.plural(once, 'bénéficiaire')} sur {formats.count(total)} {'a' if once < 2 else 'ont'} "
            f"été {'financé' if once < 2 else 'financés'} une seule année ({formats.percent(share)})."
        ),
        frame=made[["years_funded", "label", "n_beneficiaries", "share"]].reset_index(drop=True),
        columns=(
            Column("label", "Années financées", header=True),
            Column("n_beneficiaries", "Bénéficiaires", "count"),
            Column("share", "Part", "share"),
        ),
        chart=Bars("label", "n_beneficiaries", kind="count"),
        coverage=f"Sur {formats.plural(total, 'bénéficiaire')}",
        source=source,
        method="annees-financees",
    )


def multi_year(
    frame: pd.DataFrame,
    *,
    id: str,
    title: str,
    label: Callable[[Row], str],
    subtitle: str,
    source: str,
    href: Callable[[Row], str | None] | None = None,
) -> Figure:
    """The part of the money granted for several years at once, one row of `frame` a row."""
    made = frame.assign(label=[label(row) for row in records(frame)])
    stated = made["n_awards"] - made["n_not_stated"]
    made["share"] = (made["amount_multi_year"] / made["amount"]).where((made["amount"] > 0) & (stated > 0))
    made["note"] = [formats.percent(float(s)) if s == s else "non renseigné" for s in made["share"]]
    amount, multi = float(made["amount"].fillna(0).sum()), float(made["amount_multi_year"].fillna(0).sum())
    awards, missing = int(made["n_awards"].sum()), int(made["n_not_stated"].fillna(0).sum())
    share = multi / amount if amount > 0 else 0.0
    known = missing < awards
    return Figure(
        id=id,
        headline=(
            f"{formats.percent(share)} des montants dans des conventions pluriannuelles"
            if known
            else "Les fichiers ne disent pas si les subventions sont pluriannuelles"
        ),
        subtitle=subtitle,
        summary=(
            f"{formats.money_compact(multi)} sur {formats.money_compact(amount)} relèvent d'une convention "
            "de plusieurs années. "
            "Une subvention annuelle répétée n'est pas une convention."
            if known
            else "Aucune ligne ne porte cette information : il ne faut pas en conclure que tout est annuel."
        ),
        frame=made[
            [
                "label",
                "fiscal_year",
                "n_awards",
                "n_multi_year",
                "amount",
                "amount_multi_year",
                "share",
                "n_not_stated",
                "note",
                "funder_id",
            ]
        ].reset_index(drop=True),
        columns=(
            Column("label", title, "name", href=href, header=True),
            *(() if title == "Exercice" else (Column("fiscal_year", "Exercice", "year"),)),
            Column("n_awards", "Attributions", "count"),
            Column("n_multi_year", "Pluriannuelles", "count", absent="non renseigné"),
            Column("amount", "Montant", "money"),
            Column("amount_multi_year", "Dont pluriannuel", "money", absent="non renseigné"),
            Column("share", "Part", "share", absent="non renseigné"),
            Column("n_not_stated", "Sans l'information", "count"),
        ),
        chart=Dots("label", "share", "note") if known else None,
        coverage=f"Sur {formats.plural(awards, 'attribution')}, {formats.count(missing)} sans cette information",
        source=source,
        method="pluriannuel",
    )


def timeline(frame: pd.DataFrame, *, id: str, what: str, name: str, source: str) -> Figure:
    """Funder × year of one beneficiary: a true zero where the funder's data exist, a dash where they do not.

    `frame` is tidy: `funder_id`, `label`, `fiscal_year`, `amount`, `n_awards`, `status` and `currency`.
    `what` is « montants accordés » or the like.
    """
    funded = frame[frame["n_awards"] > 0]
    years = sorted({int(year) for year in funded["fiscal_year"]})
    funders = funded["funder_id"].nunique()
    total = float(funded["amount"].fillna(0).sum())
    return Figure(
        id=id,
        headline=f"Financé {formats.plural(len(years), 'année')} par {formats.plural(funders, 'financeur')}",
        subtitle=f"{formats.sentence(what)} par financeur et par exercice, {name}",
        summary=(
            f"{formats.money_compact(total, currency=str(frame['currency'].iloc[0]))}, "
            f"{formats.years(years[0], years[-1]) if years else '–'}. "
            "« 0 € » : le financeur a publié cet exercice et rien n'y est accordé à ce bénéficiaire. « – "
            "» : ses données ne couvrent pas cet exercice."
        ),
        frame=frame,
        columns=(
            Column("label", "Financeur", "name", header=True),
            Column("fiscal_year", "Exercice", "year"),
            Column("amount", "Montant", "money", absent=lambda row: str(row["status"])),
        ),
        chart=YearGrid("label", "amount", "status"),
        coverage=f"Sur {formats.plural(int(funded['n_awards'].sum()), 'attribution')}",
        source=source,
        method="annees-financees",
    )
