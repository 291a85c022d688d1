"""`qfq doctor`: what each wing finds amiss in its own part of a project, put together. Nothing is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from pipelines.ingest import health as deposits
from pipelines.publish import health as pages
from pipelines.warehouse import health as databases

if TYPE_CHECKING:
    from pathlib import Path

    from schemas.health import Finding

_SHOWN = 50


def examine(*, raw: Path, warehouse: Path, reports: Path) -> list[Finding]:
    """Everything amiss in the project of these folders, in the order of the flow."""
    return [*deposits.examine(raw, warehouse), *databases.examine(warehouse), *pages.examine(reports)]


def show(findings: list[Finding], *, console: Console | None = None) -> None:
    """Print what was found, first what somebody has to mend."""
    console = console or Console()
    if not findings:
        console.print("Rien à signaler : registre, copies, lectures, bases et pages sont entiers.")
        return
    table = Table("Partie", "Où", "Quoi", "Que faire")
    for finding in sorted(findings, key=lambda one: one.is_repaired)[:_SHOWN]:
        table.add_row(*(escape(text) for text in (finding.part, finding.place, finding.what, finding.remedy)))
    console.print(table)
    if len(findings) > _SHOWN:
        console.print(f"… et {len(findings) - _SHOWN} autres.")
    by_hand = sum(not finding.is_repaired for finding in findings)
    console.print(
        f"{len(findings) - by_hand} à refaire par `qfq run`, {by_hand} à réparer à la main."
        if by_hand
        else "Tout cela est refait par `qfq run`."
    )
