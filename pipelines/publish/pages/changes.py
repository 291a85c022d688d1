"""« Changements »: what the last publication added, removed and corrected, by funder and by table; then the former."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from pipelines.publish import changelog, formats
from pipelines.publish.directory import amounts_word
from pipelines.publish.layout import KeyFigure, Link, Section
from pipelines.publish.reports import Output, Report
from pipelines.publish.tables import Column, Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.publish.context import Context
    from pipelines.publish.tables import Row

MOST_ROWS = 100
"""Funders shown on the page; the files have them all."""
FILES = (
    Link("Tous les changements, pour les machines (changelog.json)", changelog.PATH),
    Link("Les fichiers par financeur", f"dictionnaire/{changelog.BY_FUNDER}.html"),
    Link("Les fichiers par table", f"dictionnaire/{changelog.BY_TABLE}.html"),
)
RULE = (
    "Deux publications sont comparées ligne à ligne, sur la clé de chaque table. Une date de mise à jour plus récente "
    "ne fait pas une ligne modifiée."
)
MOVED = (
    Column("n_added", "Ajoutées", "count"),
    Column("n_removed", "Retirées", "count"),
    Column("n_changed", "Modifiées", "count"),
)


def build(context: Context) -> Iterator[Output]:
    """The page."""
    numbers = changelog.numbers(context.database)
    sections = [] if numbers else [Section("aucun", "Rien à comparer", (RULE,), links=FILES)]
    lead = "Aucun changement n'est enregistré : c'est la première publication, ou rien n'a changé depuis."
    key_figures: list[KeyFigure] = []
    if numbers:
        tables = changelog.of(context.database, changelog.BY_TABLE, numbers[0])
        funders = changelog.of(context.database, changelog.BY_FUNDER, numbers[0])
        lead = (
            f"Ce qui a changé le {formats.date(tables['as_of'].iloc[0])}, par rapport à l'état du "
            f"{formats.date(tables['former_as_of'].iloc[0])}."
        )
        key_figures = _key_figures(tables)
        sections = [_funders(context, funders), _tables(tables)]
    if len(numbers) > 1:
        sections.append(_former(context, numbers))
    yield from context.page(
        REPORT.page,
        "sections.html.j2",
        report=REPORT,
        title="Changements",
        description=REPORT.description,
        kicker="Réutiliser",
        lead=lead,
        trail=[("Données", "donnees.html")],
        key_figures=key_figures,
        sections=sections,
    )


def _key_figures(tables: pd.DataFrame) -> list[KeyFigure]:
    awards = tables[tables["table_name"] == "awards"]
    words = {"n_added": "ajoutées", "n_removed": "retirées", "n_changed": "modifiées"}
    found = [
        KeyFigure(f"Attributions {word}", formats.count(int(awards[name].sum())), "nominatives")
        for name, word in words.items()
    ]
    return [*found, KeyFigure("Tables qui changent", formats.count(len(tables)))]


def _funders(context: Context, frame: pd.DataFrame) -> Section:
    if frame.empty:
        words = "Aucune attribution et aucun montant n'ont bougé : seuls d'autres tableaux ont changé."
        return Section("financeurs", "Par financeur", (words,), links=FILES)
    moved = frame["amount_added"].fillna(0) + frame["amount_removed"].fillna(0)
    made = frame.assign(
        stage_words=[formats.sentence(amounts_word(stage)) for stage in frame["stage"]],
        _moved=moved,
    ).sort_values(["_moved", "funder_name"], ascending=[False, True], ignore_index=True)
    table = Table(
        "financeurs-table",
        f"{formats.plural(len(made), 'financeur qui change', 'financeurs qui changent')}, le plus de mouvement d'abord",
        made.head(MOST_ROWS),
        (
            Column(
                "funder_name", "Financeur", "name",
                href=lambda row: context.directory.funder_href(row["funder_id"]), header=True,
            ),
            Column("stage_words", "Nature"),
            *MOVED,
            Column("amount_added", "Ajouté", "money"),
            Column("amount_removed", "Retiré", "money"),
            Column("amount_changed", "Corrigé", "money"),
            Column("amount_before", "Total avant", "money"),
            Column("amount_after", "Total après", "money"),
        ),
        sortable=True,
        search="Filtrer les financeurs",
    )  # fmt: skip
    left_out = len(made) - len(table.frame)
    rules = (RULE, "Les totaux comptent aussi les aides qui ne sont pas nominatives.")
    more = (f"{formats.plural(left_out, 'autre ligne', 'autres lignes')} dans les fichiers.",) if left_out else ()
    return Section("financeurs", "Par financeur", (*rules, *more), tables=(table,), links=FILES)


def _tables(frame: pd.DataFrame) -> Section:
    table = Table(
        "tables-table",
        f"{formats.plural(len(frame), 'table qui change', 'tables qui changent')}",
        frame,
        (
            Column(
                "table_name", "Table", "code",
                href=_table_page,
                header=True,
            ),
            Column("n_rows_before", "Lignes avant", "count", absent="table nouvelle"),
            Column("n_rows_after", "Lignes après", "count", absent="table supprimée"),
            *MOVED,
        ),
        sortable=True,
    )  # fmt: skip
    return Section("tables", "Par table", tables=(table,))


def _table_page(row: Row) -> str | None:
    """The page of a table that is still published."""
    return None if formats.is_missing(row["n_rows_after"]) else f"dictionnaire/{row['table_name']}.html"


def _former(context: Context, numbers: list[int]) -> Section:
    rows = []
    for number in numbers[1:]:
        tables = changelog.of(context.database, changelog.BY_TABLE, number)
        awards = tables[tables["table_name"] == "awards"]
        rows.append({
            "as_of": tables["as_of"].iloc[0], "n_tables": len(tables),
            **{name: int(awards[name].sum()) for name in ("n_added", "n_removed", "n_changed")},
        })  # fmt: skip
    table = Table(
        "publications-table",
        "Attributions nominatives qui ont changé, à chaque publication",
        pd.DataFrame(rows[:MOST_ROWS]),
        (Column("as_of", "Publication du", "date", header=True), Column("n_tables", "Tables", "count"), *MOVED),
    )
    return Section("publications", "Publications précédentes", tables=(table,))


REPORT = Report(
    name="changements",
    title="Changements",
    description="Ce qui a changé depuis la publication précédente : attributions, montants par financeur, tables.",
    page="changements.html",
    tables=("changes_by_funder", "changes_by_table", "funders"),
    build=build,
    order=85,
)
