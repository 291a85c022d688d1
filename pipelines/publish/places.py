"""Where territories stand: the way up from a territory, and how the places that files write were found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.publish import formats
from pipelines.publish.figure import Figure
from pipelines.publish.layout import Section
from pipelines.publish.tables import Column

if TYPE_CHECKING:
    from pipelines.publish.context import Context
    from pipelines.publish.tables import Row

ROLES = {"seat": "siège du bénéficiaire", "action": "lieu de l'action"}


def trail(context: Context, territory: Row) -> list[tuple[str, str]]:
    """Name and address of the territories that hold this one and have a page, largest first."""
    found: list[tuple[str, str]] = []
    parent = territory["parent_id"]
    while parent is not None:
        level, code = str(parent).split(":", 1)
        row = context.directory.places(level).get(code)
        if row is None:
            break
        found.insert(0, (str(row["title"]), str(row["href"])))
        parent = row["parent_id"]
    return found


def resolution(context: Context) -> Section:
    """How many awards' places each rule found, and how many stay without territory, and why."""
    frame = context.database.table("territory_resolution").copy()
    figures = []
    for role, words in ROLES.items():
        part = frame[frame["role"] == role].sort_values(
            ["is_resolved", "n_award_lines", "territory_rule"], ascending=[False, False, True]
        )
        if part.empty:
            continue
        tidy = part.reset_index(drop=True)
        tidy["label"] = [formats.sentence(str(label)) for label in tidy["rule_label"]]
        tidy["outcome"] = ["trouvé" if resolved else "sans territoire" for resolved in tidy["is_resolved"]]
        total = int(tidy["n_award_lines"].sum())
        lost = int(tidy.loc[~tidy["is_resolved"].astype(bool), "n_award_lines"].sum())
        figures.append(
            Figure(
                id=f"regles-{role}",
                headline=found_words(words, total - lost, total),
                subtitle=f"Lignes accordées selon la règle qui a donné le territoire, {words}",
                summary=(
                    f"{formats.plural(lost, 'ligne')} sur {formats.count(total)} sans territoire : rien n'est deviné, "
                    "un lieu possible dans plusieurs territoires n'en reçoit aucun."
                ),
                frame=tidy,
                columns=(
                    Column("label", "Règle", "name", header=True),
                    Column("outcome", "Territoire"),
                    Column("n_award_lines", "Lignes", "count"),
                    Column("line_share", "Part", "share"),
                ),
                chart=None,
                coverage=f"Sur {formats.plural(total, 'ligne accordée', 'lignes accordées')}",
                source=context.source,
                method="territoires",
            )
        )
    paragraph = (
        "Trois territoires ne sont jamais mêlés : le siège du bénéficiaire, le lieu de l'action, la zone du service. "
        "Ces pages suivent le siège."
    )
    return Section("regles", "Comment les lieux sont trouvés", (paragraph,), figures=tuple(figures))


def found_words(what: str, found: int, total: int) -> str:
    """The share of lines whose territory is known."""
    if total == 0:
        return f"Aucune ligne : {what}"
    return f"{formats.sentence(what)} : territoire connu pour {formats.percent(found / total)} des lignes accordées"
