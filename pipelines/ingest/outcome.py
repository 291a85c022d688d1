"""What became of one file: its report, its lines, and what the report says of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.lines import Lines
from pipelines.ingest.validate import ISSUES_SCHEMA, REJECTED_SCHEMA
from schemas.application import Application
from schemas.contract import polars_schema

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.ingest.report import Report

NO_LINES = Lines.of(pl.DataFrame(schema=polars_schema(Application)))
_STAGES = ("requested", "proposed", "awarded", "committed", "paid", "clawed_back")
_NO_GRANTS = ["loan", "guarantee"]


@dataclass(frozen=True)
class Outcome:
    """What became of one file: its report, its accepted lines, and frames of rejected lines and issues.

    `lines` are applications, `others` the accepted lines of each other contract met. `publishable` tells, line by
    line of `accepted`, the awards that the legal CSV holds.
    """

    report: Report
    lines: Lines = NO_LINES
    rejected: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=REJECTED_SCHEMA))
    issues: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=ISSUES_SCHEMA))
    publishable: pl.Series = field(default_factory=lambda: pl.Series(dtype=pl.Boolean))
    others: Mapping[str, pl.DataFrame] = field(default_factory=dict)

    @property
    def accepted(self) -> pl.DataFrame:
        """The applications accepted, copied in one frame."""
        return self.lines.frame


def count_rows(report: Report) -> None:
    """The rows of the file: those of its sheets, added up."""
    for name in ("rows_read", "rows_accepted", "rows_rejected", "rows_ignored"):
        setattr(report, name, sum(getattr(sheet, name) for sheet in report.sheets))


def describe_lines(report: Report, accepted: Lines, lost: Mapping[str, Decimal]) -> None:
    """What the report says of the `accepted` lines: filled cells, euros by stage, decisions, years, funders.

    `lost`: what rounding to cents took, by amount field; totals are those of the file.
    """
    currencies = accepted.column("currency").unique().to_list()
    report.currency = currencies[0] if len(currencies) == 1 else None
    blank = accepted.null_counts()
    report.filled = {name: accepted.height - cells for name, cells in blank.items() if cells < accepted.height}
    grants = ~accepted.column("aid_form").is_in(_NO_GRANTS).fill_null(False) if "aid_form" in report.filled else None
    for stage in _STAGES:
        name = f"amount_{stage}"
        if name in report.filled:
            cells = accepted.column(name) if grants is None else accepted.column(name).filter(grants)
            exact = Decimal(cells.sum()) + lost.get(name, Decimal(0))
            report.amounts[stage] = str(exact.quantize(Decimal("0.01"), ROUND_HALF_UP))
    statuses = accepted.column("decision_status").value_counts().sort("decision_status")
    report.decisions = {row["decision_status"]: row["count"] for row in statuses.iter_rows(named=True)}
    report.fiscal_years = sorted(accepted.column("fiscal_year").unique().to_list())
    report.funders = sorted(accepted.column("funder_name").unique().to_list())
    report.natural_persons = int((accepted.column("applicant_kind") == "natural").sum())
