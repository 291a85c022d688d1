"""The sheets of a file, concluded: what is accepted, whether it is held, and what its author is told."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest import french
from pipelines.ingest.decisions_told import word_questions
from pipelines.ingest.lines import Lines
from pipelines.ingest.normalise import UNKNOWN_FUNDER
from pipelines.ingest.other_lines import by_contract, describe_others
from pipelines.ingest.outcome import NO_LINES, Outcome, count_rows, describe_lines
from pipelines.ingest.report import Issue
from schemas.contracts import APPLICATION

if TYPE_CHECKING:
    from pipelines.ingest.one_sheet import ReadSheet
    from pipelines.ingest.report import Report
    from schemas.format import Format


def concluded(sheets: list[ReadSheet], report: Report, format_: Format) -> Outcome:
    """What `sheets`, read with `format_`, give together; `report` gets the status and the messages of the file."""
    lists = [sheet for sheet in sheets if sheet.contract == APPLICATION]
    accepted = Lines.together([sheet.validated.accepted for sheet in lists] or [NO_LINES])
    others = by_contract((sheet.contract, sheet.validated.accepted) for sheet in sheets)
    rejected = pl.concat([sheet.validated.rejected for sheet in sheets])
    issues = pl.concat([sheet.validated.issues for sheet in sheets])
    loaded = sum(sheet.validated.accepted.height for sheet in sheets)
    count_rows(report)
    describe_lines(report, accepted, _remainders(lists))
    describe_others(report, others)
    report.issues = [Issue(**issue) for issue in issues.iter_rows(named=True)]
    if report.rows_accepted + report.rows_rejected == 0:
        report.messages.append(
            "Les titres de colonnes sont reconnus, mais aucune ligne de subvention ne les suit : rien à charger."
        )
    elif rejected.height > format_.expect.max_rejected_share * (loaded + rejected.height):
        report.status = "held"
        unread = french.count(report.rows_rejected, "ligne") + f" sur {report.rows_read}"
        if report.rows_rejected < rejected.height:  # a row may give several lines
            unread = french.count(rejected.height, "cellule") + f" sur {loaded + rejected.height}"
        cannot = "ne peut pas être lue" if rejected.height == 1 else "ne peuvent pas être lues"
        report.messages.append(
            f"{unread} {cannot} (d'abord {_first_place(rejected)}) : c'est trop pour charger le reste sans risque. "
            "Corrigez les cellules signalées, puis déposez à nouveau le fichier."
        )
    else:
        report.status = "accepted"
    if UNKNOWN_FUNDER in report.funders:
        report.messages.append(
            "Le fichier ne dit pas qui est le financeur. Déposez-le dans le dossier de votre organisme, ou indiquez "
            "son nom dans un fichier funder.toml."
        )
    unclear = []
    if any(issue.code == "status_unknown" for issue in report.issues):
        unclear = word_questions(issues.filter(pl.col("code") == "status_unknown")["value"].unique().sort().to_list())
    report.questions += [question.text for question in unclear]
    report.to_choose += [question for question in unclear if question.about is not None]
    return Outcome(report, accepted, rejected, issues, others=others)


def _first_place(rejected: pl.DataFrame) -> str:
    sheet, row = rejected.select("sheet", "row").row(0)
    return f"la ligne {row} de «\u00a0{sheet}\u00a0»"


def _remainders(lists: list[ReadSheet]) -> dict[str, Decimal]:
    """What rounding to cents took from the accepted lines, by amount field: totals are those of the file."""
    lost: dict[str, Decimal] = {}
    for sheet in lists:
        for name, remainders in sheet.normalised.findings.remainders.items():
            kept = remainders.filter(sheet.validated.accepted.kept)
            lost[name] = lost.get(name, Decimal(0)) + Decimal(kept.sum())
    return lost
