"""What changed from one fiscal year to the next, among the funders whose data cover both."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from pipelines.publish import formats, funding, headlines
from pipelines.publish.charts import Bars
from pipelines.publish.directory import amounts_word, label
from pipelines.publish.figure import Figure
from pipelines.publish.funding import ADDITIVE
from pipelines.publish.layout import Link, Section
from pipelines.publish.tables import Column, records

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.publish.context import Context
    from pipelines.publish.tables import Row

MOST = 60
"""Funders in one table of a page: the file has them all."""
NOT_COMPARABLE = "– (exercice précédent sans données)"
NEW_TO_THE_FUNDER = (
    "Une entrée est un bénéficiaire que ce financeur n'aidait dans aucun exercice observé avant ; il peut l'être par "
    "un autre. Un retour l'a été, mais pas l'exercice précédent. Quand l'exercice précédent n'est pas dans les données "
    "d'un financeur, rien de cela ne se voit ; une perte n'est comptée que si le second exercice est complet."
)


@dataclass(frozen=True)
class Year:
    """One fiscal year: its rows, those of the year before, and the funders that have both."""

    value: int
    is_complete: bool
    frame: pd.DataFrame
    before: pd.DataFrame

    @property
    def both(self) -> frozenset[str]:
        """Funders whose data exist in this year and the one before."""
        return frozenset(self.frame["funder_id"]) & frozenset(self.before["funder_id"])


def _compared(
    now: pd.DataFrame, before: pd.DataFrame, *, key: str, name: Callable[[str], str], is_observed: Callable[[str], bool]
) -> pd.DataFrame:
    """Amounts of `key` in both years, one row a key, currency and stage; no change where one side is not observed.

    A key without a row on an observed side has a true zero there; a row without an amount stays without.
    """
    keys = [key, "currency", "stage"]
    sums = [part.groupby(keys, dropna=False)[ADDITIVE].sum(min_count=1).reset_index() for part in (now, before)]
    made = sums[0].merge(sums[1][[*keys, "amount"]], how="outer", on=keys, suffixes=("", "_before"), indicator=True)
    side = made.pop("_merge")
    made.loc[side == "right_only", ADDITIVE] = 0
    made.loc[side == "left_only", "amount_before"] = 0.0
    both = pd.Series([is_observed(code) for code in made[key]], index=made.index, dtype=bool)
    made["amount_before"] = made["amount_before"].where(both)
    made["change"] = made["amount"] - made["amount_before"]
    made["label"] = [name(code) for code in made[key]]
    return made.sort_values(
        ["amount", "label", "currency", "stage"], ascending=[False, True, True, True], ignore_index=True
    )


def by_funder(context: Context, year: Year) -> pd.DataFrame:
    """Amounts by funder in the year and in the one before, where both are observed."""
    return _compared(
        year.frame,
        year.before[year.before["funder_id"].isin(year.both)],
        key="funder_id",
        name=context.directory.funder_name,
        is_observed=lambda funder: funder in year.both,
    )


def amounts(context: Context, year: Year) -> list[Section]:
    """The section of amounts by funder."""
    figures: list[Figure] = []
    links: tuple[Link, ...] = ()
    made = by_funder(context, year)
    for index, (currency, stage, part) in enumerate(funding.splits(made)):
        word = amounts_word(stage)
        known = part[part["change"].notna()]
        sums = {year.value - 1: float(known["amount_before"].sum()), year.value: float(known["amount"].sum())}
        figures.append(
            _figure(
                part,
                year,
                id="financeurs" if index == 0 else f"financeurs-{index + 1}",
                title="Financeur",
                href=lambda row: context.directory.funder_href(row["funder_id"]),
                headline=headlines.trend(sums, what=word, before=context.publication.as_of.year)
                if year.is_complete
                else f"{formats.sentence(word)} par financeur",
                subtitle=f"{formats.sentence(word)} par financeur, {_years(year)}{_in(currency)}",
                summary=_sums(sums, year, currency, len(known)),
                source=context.source,
            )
        )
        if len(part) > MOST:
            csv = f"data/annees/{year.value}-montants.csv"
            links = (Link(f"Les {formats.plural(len(made), 'ligne')} (CSV)", csv),)
    return [Section("montants", "Montants", figures=tuple(figures), links=links)] if figures else []


def _sums(sums: dict[int, float], year: Year, currency: str, n: int) -> str:
    if not n:
        return f"Aucun financeur n'a de données pour {year.value - 1} et {year.value} : rien ne se compare."
    return (
        f"Chez {formats.plural(n, 'financeur')} qui {'ont' if n > 1 else 'a'} les deux exercices : "
        f"{formats.money_compact(sums[year.value - 1], currency=currency)} en {year.value - 1}, "
        f"{formats.money_compact(sums[year.value], currency=currency)} en {year.value}."
    )


def _years(year: Year) -> str:
    """What the picture shows, and what the table has besides."""
    return f"{year.value} (et {year.value - 1} dans le tableau)"


def _in(currency: str) -> str:
    """Tells two figures of one kind of amount apart."""
    return "" if currency == "EUR" else f", en {formats.symbol(currency)}"


def _figure(
    part: pd.DataFrame,
    year: Year,
    *,
    id: str,
    title: str,
    href: Callable[[Row], str | None] | None,
    headline: str,
    subtitle: str,
    summary: str,
    source: str,
    note: str = "",
) -> Figure:
    cut = f"Les {MOST} montants les plus élevés ; le fichier les a tous." if len(part) > MOST else ""
    return Figure(
        id=id,
        headline=headline,
        subtitle=subtitle,
        summary=summary,
        frame=part.head(MOST).reset_index(drop=True),
        columns=(
            Column("label", title, "name", href=href, header=True),
            Column("amount_before", str(year.value - 1), "money", absent=NOT_COMPARABLE),
            Column("amount", str(year.value), "money", absent="non renseigné"),
            Column("change", "Écart", "money", absent=NOT_COMPARABLE),
            Column("n_awards", "Attributions", "count"),
            Column("n_without_amount", "Sans montant", "count"),
        ),
        chart=Bars("label", "amount"),
        coverage=funding.coverage(records(part)),
        source=source,
        method="montants",
        note=" ".join(words for words in (cut, note) if words),
    )


def flows(context: Context, year: Year) -> pd.DataFrame:
    """Entries, renewals and returns of the year by funder, and those of the year before who are not funded in it.

    All are empty for a funder whose year before is not observed: who seems to enter may have been funded in it.
    """
    table = context.database.table("continuity_by_funder_year")
    now = table[table["fiscal_year"] == year.value]
    lost = table[table["fiscal_year"] == year.value - 1].set_index("funder_id")["n_lost_next"]
    moves = ["n_entries", "n_renewals", "n_returns"]
    made = now[["funder_id", "fiscal_year", "n_funded", *moves]].copy()
    made[moves] = made[moves].where(now["is_previous_observed"])
    made["n_lost"] = [lost.get(funder, float("nan")) for funder in made["funder_id"]]
    made.insert(1, "label", [context.directory.funder_name(funder) for funder in made["funder_id"]])
    return made.sort_values(["n_funded", "label"], ascending=[False, True], ignore_index=True)


def people(context: Context, year: Year) -> list[Section]:
    """The section of those who enter, come back or are not funded again."""
    made = flows(context, year)
    if made.empty:
        return []
    known, lost = made[made["n_entries"].notna()], made["n_lost"].dropna()
    funded, entries, returns = (int(known[name].sum()) for name in ("n_funded", "n_entries", "n_returns"))
    words = (
        f"{formats.plural(entries, 'entrée')} et {formats.plural(returns, 'retour')} parmi "
        f"{formats.plural(funded, 'relation')} entre un financeur et un bénéficiaire."
        if len(known)
        else "Aucun financeur n'a l'exercice précédent dans ses données : ni entrée ni retour ne se voit."
    )
    if len(lost):
        words += f" {formats.plural(int(lost.sum()), 'bénéficiaire')} de {year.value - 1} sans aide en {year.value}."
    columns = (
        Column(
            "label", "Financeur", "name", href=lambda row: context.directory.funder_href(row["funder_id"]), header=True
        ),
        Column("n_funded", "Financés", "count"),
        *(
            Column(name, title, "count", absent=NOT_COMPARABLE)
            for name, title in (
                ("n_entries", "Entrées"),
                ("n_renewals", "Renouvelés"),
                ("n_returns", "Retours"),
                ("n_lost", f"De {year.value - 1}, sans aide en {year.value}"),
            )
        ),
    )
    figure = Figure(
        id="entrees",
        headline=headlines.entries(entries, funded, year.value),
        subtitle=f"Bénéficiaires par financeur, {year.value} ; une convention compte chaque année qu'elle couvre",
        summary=words,
        frame=made.head(MOST),
        columns=columns,
        chart=None,
        coverage=(
            f"Sur {formats.plural(len(made), 'financeur')}, dont {formats.count(len(made) - len(known))} sans exercice "
            "précédent observé"
        ),
        source=context.source,
        method="maintien",
        note=NEW_TO_THE_FUNDER,
    )
    csv = f"data/annees/{year.value}-beneficiaires.csv"
    links = (Link(f"Les {formats.plural(len(made), 'financeur')} (CSV)", csv),) if len(made) > MOST else ()
    return [Section("beneficiaires", "Qui entre, qui revient, qui n'est plus aidé", figures=(figure,), links=links)]


def themes(context: Context, year: Year) -> list[Section]:
    """Amounts by theme of the funders that have both years."""
    table = context.database.table("funding_by_funder_theme_year")
    table = table[table["funder_id"].isin(year.both)]
    made = _compared(
        table[table["fiscal_year"] == year.value],
        table[table["fiscal_year"] == year.value - 1],
        key="theme",
        name=lambda code: label("theme", code),
        is_observed=lambda _: True,
    )
    figures = [
        _figure(
            part,
            year,
            id="themes" if index == 0 else f"themes-{index + 1}",
            title="Thème",
            href=None,
            headline=f"{formats.sentence(amounts_word(stage))} par thème",
            subtitle=(
                f"{formats.sentence(amounts_word(stage))} par thème, financeurs qui ont les deux exercices, "
                f"{_years(year)}{_in(currency)}"
            ),
            summary=_theme_words(part, currency),
            source=context.source,
            note="Un thème nouveau peut tenir à un fichier mieux rempli.",
        )
        for index, (currency, stage, part) in enumerate(funding.splits(made))
    ]
    return [Section("themes", "Par thème", figures=tuple(figures))] if figures else []


def _theme_words(part: pd.DataFrame, currency: str) -> str:
    known = records(part.dropna(subset=["change"]))
    if not known:
        return "Aucun montant n'est renseigné."
    up, down = (choose(known, key=lambda row: (row["change"], row["label"])) for choose in (max, min))
    words = [
        f"{what} : {row['label']}, {formats.money_compact(float(row['change']), currency=currency)}"
        for what, row, way in (("Plus forte hausse", up, 1), ("Plus forte baisse", down, -1))
        if row["change"] * way > 0
    ]
    return f"{'. '.join(words)}." if words else "Aucun montant n'a changé."
