"""The members of an archive, put together as one file: one report, one table of lines."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.lines import Lines
from pipelines.ingest.other_lines import by_contract, describe_others
from pipelines.ingest.outcome import Outcome, count_rows, describe_lines
from pipelines.ingest.report import Issue

if TYPE_CHECKING:
    from pipelines.ingest.report import Report, SheetReport


def together(outcomes: list[Outcome], whole: Report, outside: list[SheetReport]) -> Outcome:
    """The members of an archive, added up. The worst status wins: one member held holds the archive."""
    reports = [outcome.report for outcome in outcomes]
    whole.members = reports
    whole.status = max((report.status for report in reports), key=("accepted", "held", "refused").index)
    formats, kinds = {r.format for r in reports}, {r.recognised_by for r in reports}
    whole.format = formats.pop() if len(formats) == 1 else None
    whole.recognised_by = kinds.pop() if len(kinds) == 1 else "none"
    stages = {report.headline_stage for report in reports}
    whole.headline_stage = stages.pop() if len(stages) == 1 else None
    for report in reports:
        for sheet in report.sheets:
            whole.sheets.append(replace(sheet, name=f"{report.file} · {sheet.name}"))
        whole.columns += [replace(c, sheet=f"{report.file} · {c.sheet}") for c in report.columns]
        whole.messages += [f"{report.file} : {message}" for message in report.messages]
        whole.questions += report.questions
        for kind, cells in report.personal_removed.items():
            whole.personal_removed[kind] = whole.personal_removed.get(kind, 0) + cells
    whole.sheets += outside
    count_rows(whole)
    accepted = Lines.together([_renamed(o.lines, o.report.file, i) for i, o in enumerate(outcomes)])
    describe_lines(whole, accepted, {})
    whole.amounts = {
        stage: str(sum(Decimal(report.amounts.get(stage, 0)) for report in reports)) for stage in whole.amounts
    }
    issues = pl.concat(
        [o.issues.with_columns(pl.format("{} · {}", pl.lit(o.report.file), "sheet").alias("sheet")) for o in outcomes]
    )
    whole.issues = [Issue(**issue) for issue in issues.iter_rows(named=True)]
    rejected = pl.concat(
        [o.rejected.with_columns(pl.format("{} · {}", pl.lit(o.report.file), "sheet").alias("sheet")) for o in outcomes]
    )
    others = by_contract(
        (contract, _renamed(Lines.of(lines), o.report.file, i))
        for i, o in enumerate(outcomes)
        for contract, lines in o.others.items()
    )
    describe_others(whole, others)
    return Outcome(whole, accepted, rejected, issues, others=others)


def _renamed(accepted: Lines, member: str, index: int) -> Lines:
    """Line identities stay unique across the members of an archive."""
    return accepted.with_columns(
        pl.format("{} · {}", pl.lit(member), "source_sheet").alias("source_sheet"),
        pl.format("{}/{}", "line_id", pl.lit(index)).alias("line_id"),
    )
