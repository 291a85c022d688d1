"""How a report and a run look in a terminal (Rich, French labels)."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from pipelines.ingest import french
from schemas import codelist
from schemas.format import load_formats
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
        console.print(_counts(report))
        stages = codelist.labels("headline_stage")
        statuses = {**codelist.labels("measure"), **codelist.labels("decision_status")}
        amounts = [
            f"{stages[stage]} {french.amount(total, currency=report.currency)}"
            for stage, total in report.amounts.items()
        ]
        decisions = [f"{statuses[status]} : {french.number(count)}" for status, count in report.decisions.items()]
        for told in (amounts, decisions):
            console.print(f"  {' ; '.join(told)}")
    unused = [column for column in report.columns if column.field is None]
    if unused:
        console.print(
            "  Colonnes non utilisées : " + escape(", ".join(f"{c.header or c.column} ({c.why})" for c in unused))
        )
    _show_issues(report, console)


def _counts(report: Report) -> str:
    formats = load_formats()
    title = formats[report.format].title if report.format in formats else "déduit des titres de colonnes"
    read, accepted, rejected, ignored = map(
        french.number, (report.rows_read, report.rows_accepted, report.rows_rejected, report.rows_ignored)
    )
    return (
        f"  {read} lignes lues = {accepted} acceptées + {rejected} écartées + {ignored} ignorées\n"
        f"  Format : {escape(title)} ; exercices : {french.year_ranges(report.fiscal_years) or 'aucun'}"
    )


def _show_issues(report: Report, console: Console) -> None:
    """Each cause with its count and first cell, then what to do; a table has no room in a narrow window."""
    for code, count in Counter(issue.code for issue in report.issues).most_common(_SHOWN):
        first = next(issue for issue in report.issues if issue.code == code)
        cell = f"{first.column or ''}{first.row or ''}"
        place = " de ".join(filter(None, (cell and f"cellule {cell}", first.sheet and f"« {first.sheet} »")))
        kind = issue_kinds()[code]
        console.print(
            f"  • [bold]{kind.title}[/] × {french.number(count)}{escape(f', d’abord {place}') if place else ''}"
        )
        console.print(f"    {kind.remedy}")
