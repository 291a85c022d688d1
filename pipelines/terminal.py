"""How a report and a run look in a terminal (Rich tables, French labels)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from schemas import codelist
from schemas.issues import issue_kinds

if TYPE_CHECKING:
    from pipelines.ingest.report import Report

STATUS_WORDS = {"accepted": "[green]accepté[/]", "held": "[yellow]en attente[/]", "refused": "[red]refusé[/]"}
_SHOWN = 20


def show_report(report: Report, *, console: Console | None = None) -> None:
    """Print the report of one file: verdict, counts, columns left out, issues by cause."""
    console = console or Console()
    console.print(f"[bold]{escape(report.file)}[/] : {STATUS_WORDS[report.status]}")
    for message in report.messages + report.questions:
        console.print(f"  {escape(message)}")
    if report.rows_read:
        console.print(
            f"  {report.rows_read} lignes lues = {report.rows_accepted} acceptées + {report.rows_rejected} écartées + "
            f"{report.rows_ignored} ignorées ; format {report.format} ; "
            f"exercices {', '.join(map(str, report.fiscal_years))}"
        )
        stages = codelist.labels("headline_stage")
        statuses = {**codelist.labels("measure"), **codelist.labels("decision_status")}
        amounts = " ; ".join(f"{stages[stage]} {total} {report.currency}" for stage, total in report.amounts.items())
        decisions = " ; ".join(f"{count} {statuses[status]}" for status, count in report.decisions.items())
        console.print(f"  {amounts}\n  {decisions}")
    unused = [column for column in report.columns if column.field is None]
    if unused:
        console.print(
            "  Colonnes non utilisées : " + escape(", ".join(f"{c.header or c.column} ({c.why})" for c in unused))
        )
    _show_issues(report, console)


def _show_issues(report: Report, console: Console) -> None:
    if not report.issues:
        return
    table = Table("Problème", "Nombre", "Premier endroit", "Que faire")
    for code, count in Counter(issue.code for issue in report.issues).most_common(_SHOWN):
        first = next(issue for issue in report.issues if issue.code == code)
        place = f"{first.sheet or ''} {first.column or ''}{first.row or ''}".strip()
        kind = issue_kinds()[code]
        table.add_row(kind.title, str(count), escape(place), kind.remedy)
    console.print(table)
