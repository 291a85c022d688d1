"""Figures of amounts per inhabitant: one fiscal year, never an average of several, never a ranking of territories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pipelines.publish import formats
from pipelines.publish.charts import Bars
from pipelines.publish.directory import UNKNOWN_TERRITORY, amounts_word
from pipelines.publish.figure import Figure
from pipelines.publish.funding import coverage, splits
from pipelines.publish.tables import Column, records
from pipelines.publish.tile_map import TileMap

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from pipelines.publish.charts import Chart
    from pipelines.publish.funding import Scope

PARTIAL = (
    "Seuls comptent les financeurs dont les données existent cette année-là : un territoire peut recevoir davantage "
    "d'autres financeurs. Le siège d'un bénéficiaire n'est pas toujours le lieu de son action."
)

ROUGHLY = "Chaque carré est un territoire, à peu près à sa place ; tous ont la même taille."


def by_territory(
    frame: pd.DataFrame,
    scope: Scope,
    *,
    id: str,
    key: str,
    title: str,
    by: str,
    name: Callable[[Any], str],
    level: str | None = None,
) -> list[Figure]:
    """One figure per currency and stage: amount ÷ population of each territory, in the last complete fiscal year.

    `frame` has `key`, `fiscal_year`, `population` and the additive measures. Territories without population are left
    out and said in the coverage; in alphabetical order. With `level`, the first picture is the map of that level.
    """
    figures: list[Figure] = []
    for currency, stage, every_year in splits(frame):
        years = every_year["fiscal_year"]
        complete = years[years < scope.before]
        year = int((years if complete.empty else complete).max())
        part = every_year[years == year]
        known = part[part["population"].notna() & (part[key] != UNKNOWN_TERRITORY)]
        if known["amount"].isna().all():
            continue
        tidy = known.groupby(key, as_index=False).agg(
            n_awards=("n_awards", "sum"), amount=("amount", "sum"), population=("population", "max")
        )
        tidy["per_inhabitant"] = (tidy["amount"] / tidy["population"]).round(4)
        tidy["label"] = [name(code) for code in tidy[key]]
        tidy["currency"], tidy["stage"], tidy["fiscal_year"] = currency, stage, year
        tidy = tidy.sort_values("label", key=lambda labels: labels.map(formats.slug)).reset_index(drop=True)
        word = formats.sentence(amounts_word(stage))
        left_out = int(part["n_awards"].sum() - known["n_awards"].sum())
        unit = "" if currency == "EUR" else f" ({formats.symbol(currency)})"
        low, high = (formats.money(value, currency=currency) for value in tidy["per_inhabitant"].agg(["min", "max"]))
        chart: Chart = Bars("label", "per_inhabitant")
        if level is not None and not figures:
            chart = TileMap(level, key, "label", "per_inhabitant")
        figures.append(
            Figure(
                id=id if not figures else f"{id}-{len(figures) + 1}",
                headline=f"{word} par habitant{unit}, exercice {year}",
                subtitle=f"{word} ÷ population, par {by}, {scope.place}, {year}",
                summary=f"De {low} à {high} par habitant selon le territoire."
                if len(tidy) > 1
                else f"{low} par habitant.",
                frame=tidy,
                columns=(
                    Column("label", title, "name", header=True),
                    Column("amount", "Montant", "money"),
                    Column("population", "Habitants", "count"),
                    Column("per_inhabitant", "Par habitant", "money"),
                ),
                chart=chart,
                coverage=coverage(records(part))
                + (f" ; {formats.count(left_out)} sans territoire connu, hors de ce calcul" if left_out else ""),
                source=scope.source,
                method="territoires",
                note=f"{ROUGHLY} {PARTIAL}" if isinstance(chart, TileMap) else PARTIAL,
            )
        )
    return figures
