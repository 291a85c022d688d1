"""One sheet whose titles are known: mapped, normalised, validated, judged as a legal publication, and reported."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.conformity import file_conformity
from pipelines.ingest.controls import check_controls
from pipelines.ingest.map import map_sheet
from pipelines.ingest.normalise import normalise
from pipelines.ingest.pool import both
from pipelines.ingest.units import told as unit_told
from pipelines.ingest.unpivot import row_counts
from pipelines.ingest.validate import validate
from schemas.contracts import APPLICATION

if TYPE_CHECKING:
    from pipelines.ingest.map import MappedSheet
    from pipelines.ingest.normalise import Normalised, Origin
    from pipelines.ingest.recognise import Header
    from pipelines.ingest.report import FileConformity, Report
    from pipelines.ingest.validate import Validated


@dataclass(frozen=True)
class ReadSheet:
    """A sheet at each step of its reading."""

    mapped: MappedSheet
    normalised: Normalised
    validated: Validated
    legal: FileConformity | None
    """The verdict on the sheet as a legal publication; None for what is no list of applications."""

    @property
    def contract(self) -> str:
        """What its lines are."""
        return self.mapped.header.format.contract


def read_sheet(header: Header, origin: Origin, *, index: int) -> ReadSheet:
    """The sheet of `header`, the `index`-th of its file, read and checked."""
    mapped = map_sheet(header)

    def read() -> tuple[Normalised, Validated]:
        normalised = normalise(mapped, origin, sheet_index=index)
        return normalised, validate(normalised, mapped)

    def judged() -> FileConformity | None:  # on the same cells, and on nothing else
        return file_conformity(mapped.header) if header.format.contract == APPLICATION else None

    (normalised, validated), legal = both(read, judged, lines=mapped.lines.height)
    return ReadSheet(mapped, normalised, validated, legal)


def reported(read: ReadSheet, report: Report) -> ReadSheet:
    """Write in `report` what it says of a sheet kept; returns the sheet, with the issues of its totals.

    Raises `AssertionError` when rows are lost: read is not accepted + rejected + ignored.
    """
    mapped, normalised, validated = read.mapped, read.normalised, read.validated
    sheet, header = mapped.report, mapped.header
    sheet.rows_accepted, sheet.rows_rejected, ignored = row_counts(mapped, validated)
    if ignored:
        sheet.rows_ignored += ignored
        sheet.ignored["total sans libellé, vérifié"] = ignored
    if sheet.rows_read != sheet.rows_accepted + sheet.rows_rejected + sheet.rows_ignored:
        raise AssertionError(f"rows of sheet {sheet.name!r} do not add up: {sheet}")
    controls = check_controls(mapped, normalised)
    sheet.reason = " ; ".join(("lue", *header.sheet.notes, *controls.notes))
    report.sheets.append(sheet)
    report.columns += mapped.columns
    if read.legal is not None:
        report.legal_sheets.append(read.legal)
    for kind, cells in normalised.findings.personal.items():
        report.personal_removed[kind] = report.personal_removed.get(kind, 0) + cells
    issues = pl.concat([validated.issues, controls.issues])
    unit = unit_told(header)
    if unit is not None and unit not in report.messages:
        report.messages.append(unit)
    corrected = issues.filter(pl.col("code") == "corrected").height
    if corrected:
        report.messages.append(f"{corrected}\u00a0cellules corrigées à la main, à la demande des analystes.")
    return replace(read, validated=replace(validated, issues=issues))
