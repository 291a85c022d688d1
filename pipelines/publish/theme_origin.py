"""Where a funder's themes come from, in words: its files, the public rule, or nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.publish import formats

if TYPE_CHECKING:
    from pipelines.publish.database import PublicDatabase

FROM_FILES = ("stated", "lookup")
NOWHERE = ("none",)


def words(database: PublicDatabase, funder_id: str) -> str:
    """Shares of the funder's awarded lines whose theme is told by its files, deduced by the rule, or not known."""
    frame = database.where("theme_resolution", "funder_id", funder_id)
    total = int(frame["n_award_lines"].sum())
    if not total:
        return "Aucune ligne accordée."
    told = int(frame.loc[frame["theme_basis"].isin(FROM_FILES), "n_award_lines"].sum())
    missing = int(frame.loc[frame["theme_basis"].isin(NOWHERE), "n_award_lines"].sum())
    shares = [formats.percent(part / total) for part in (told, total - told - missing, missing)]
    return (
        f"Origine du thème des lignes accordées : {shares[0]} d'après le fichier, {shares[1]} déduit par la règle, "
        f"{shares[2]} sans thème connu."
    )
