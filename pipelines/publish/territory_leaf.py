"""The leaf of a territory: who funds there, how long beneficiaries are followed, what is refused, whom to write to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.publish import formats, leaf
from pipelines.publish.award_lines import KEYS
from pipelines.publish.layout import figures_of
from pipelines.publish.tables import records

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipelines.publish.context import Context
    from pipelines.publish.layout import KeyFigure, Section
    from pipelines.publish.reports import Output
    from pipelines.publish.tables import Row

LONG = 3
"""Years in a row from which a beneficiary is said to be followed."""


def leaf_of(
    context: Context,
    territory: Row,
    *,
    key: str,
    kicker: str,
    lead: str,
    key_figures: Sequence[KeyFigure],
    sections: list[Section],
    data_of: set[str],
) -> Output:
    """The leaf, from the figures of the territory's page. `key`: the column of `awards` that tells the seat."""
    figures = {figure.id: figure for figure in figures_of(sections)}
    blocks = [
        leaf.from_figure(figures[name], title, columns, bar="amount", newest=newest)
        for name, title, columns, newest in (
            ("annees", "Par exercice", ("fiscal_year", "n_awards", "amount"), True),
            ("financeurs", "Qui finance", ("label", "n_awards", "amount", "share"), False),
        )
        if name in figures
    ]
    refused = next(section for section in sections if section.id == "refus")
    columns = ("label", "n_awarded", "n_refused", "n_decided", "refusal_rate")
    blocks += [
        _continuity(context, key, str(territory["code"])),
        leaf.from_figure(refused.figures[0], "Refus", columns) if refused.figures else leaf.said(refused, "Refus"),
        leaf.contacts(_services(context, territory)),
    ]
    return leaf.leaf(
        context,
        str(territory["href"]),
        title=str(territory["title"]),
        kicker=formats.sentence(kicker),
        lead=lead,
        key_figures=key_figures,
        blocks=blocks,
        source=context.source.partition(" (")[0],
        data_of=data_of,
        is_demonstration=False,
    )


def _continuity(context: Context, key: str, code: str) -> leaf.Block:
    """For how many years in a row the beneficiaries of the territory are funded, by any funder."""
    row = next(iter(records(context.database.grouped(_runs(key), "code", code))), None)
    if row is None:
        words = "Aucun organisme nommé : la continuité n'est pas mesurée ici."
        return leaf.Block("continuite", "Continuité", (words,))
    total, long, once = (int(row[name]) for name in ("n_beneficiaries", "n_long", "n_once"))
    said = (
        f"{formats.plural(total, 'organisme financé', 'organismes financés')} : {formats.count(long)} pendant "
        f"{LONG} années de suite ou plus, par un financeur ou plusieurs ; {formats.count(once)} une seule année."
    )
    rule = "Seules comptent les années dont les données existent : avant et après, rien n'est observable."
    return leaf.Block("continuite", "Continuité", (said, rule))


def _runs(key: str) -> str:
    """How many beneficiaries each territory has, and how long they are followed."""
    return (
        f"SELECT k AS code, count(*) AS n_beneficiaries, count(*) FILTER (run_max >= {LONG}) AS n_long,"
        " count(*) FILTER (years_funded = 1) AS n_once"
        f" FROM (SELECT DISTINCT {KEYS[key]} AS k, organisation_id FROM awards)"
        " JOIN continuity_by_beneficiary USING (organisation_id) GROUP BY k"
    )


def _services(context: Context, territory: Row) -> Iterable[Row]:
    """The services that say they cover the département, or have granted there; its départements' for a région."""
    departements = {str(territory["code"])}
    if territory["level"] != "departement":
        own = f"{territory['level']}:{territory['code']}"
        departements = {str(r["code"]) for r in context.directory.territories.values() if r["parent_id"] == own}
        departements |= {str(territory["parent_id"]).removeprefix("departement:")}
    return context.directory.services_of(departements)
