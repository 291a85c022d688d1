"""Lines of the contracts other than `application` (totals, calls, services), which one workbook may hold beside it.

They are read, mapped, parsed and validated by the same code as applications; here is what only they need: what no
column of theirs states, which format is the main one of each contract, and what the report says of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.derive import filled, with_constants, with_funder, with_source, with_year
from pipelines.ingest.french import count
from pipelines.ingest.personal import masked
from schemas.contracts import APPLICATION, CONTRACTS, DECISION_COUNT, fields_of, others
from schemas.decision_count import AMOUNTS
from schemas.format import COMPOSITES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipelines.ingest.derive import Origin
    from pipelines.ingest.findings import Findings
    from pipelines.ingest.lines import Lines
    from pipelines.ingest.map import MappedSheet
    from pipelines.ingest.recognise import Header
    from pipelines.ingest.report import Report
    from schemas.contract import FieldInfo
    from schemas.format import Format

_SAID = {
    DECISION_COUNT: ("total de décisions", "totaux de décisions"),
    "call": ("appel à projets", "appels à projets"),
    "service": ("service", "services"),
}


def main_formats(headers: Iterable[Header]) -> dict[str, Format]:
    """For each contract met, the format that reads most columns of one sheet (the longest one, between equals)."""
    best: dict[str, Header] = {}
    for header in headers:
        known = best.get(header.format.contract)
        if known is None or _size(header) > _size(known):
            best[header.format.contract] = header
    return {contract: best[contract].format for contract in CONTRACTS if contract in best}


def _size(header: Header) -> tuple[int, int]:
    return len(header.fields), header.sheet.cells.height


def derived(
    lines: pl.DataFrame, mapped: MappedSheet, origin: Origin, findings: Findings, *, sheet_index: int
) -> pl.DataFrame:
    """Parsed columns → every column of the contract: constants, and funder, year and source where it has them.

    The year is sought outside its column only where the contract requires one.
    """
    format_ = mapped.header.format
    fields = fields_of(format_.contract)
    lines = with_constants(lines, format_)
    if "funder_name" in fields:
        lines = with_funder(lines, origin)
    if "fiscal_year" in fields and fields["fiscal_year"].required:
        lines = with_year(lines, findings.years, mapped, origin, findings)
    lines = with_source(lines, mapped, origin, sheet_index)
    return filled(lines, CONTRACTS[format_.contract])


def without_mailboxes(raw: pl.DataFrame, fields: Mapping[str, FieldInfo]) -> pl.DataFrame:
    """The text of lines as it may be quoted: addresses are kept in checked lines only."""
    own = [name for name in raw.columns if any(_is_mailbox(fields, part) for part in COMPOSITES.get(name, (name,)))]
    return raw.with_columns(masked(raw[name])[0].alias(name) for name in own)


def _is_mailbox(fields: Mapping[str, FieldInfo], name: str) -> bool:
    return name in fields and fields[name].is_mailbox


def describe_others(report: Report, accepted: Mapping[str, pl.DataFrame]) -> None:
    """Tell in `report` what the lines of other contracts say; totals and years only where there is no application."""
    has_applications = bool(report.decisions)
    for contract, lines in accepted.items():
        if lines.is_empty():
            continue
        if "funder_name" in lines.columns:
            report.funders = sorted({*report.funders, *lines["funder_name"].drop_nulls().to_list()})
        if "fiscal_year" in lines.columns and not has_applications:
            report.fiscal_years = sorted({*report.fiscal_years, *lines["fiscal_year"].drop_nulls().to_list()})
        if contract == DECISION_COUNT and not has_applications:
            report.decisions = _stated(lines)
        one, many = _SAID.get(contract, (contract, contract))
        report.messages.append(f"Ce fichier contient {count(lines.height, one, many)}.")


def _stated(totals: pl.DataFrame) -> dict[str, int]:
    """The numbers of applications that totals state, by measure."""
    counts = totals.filter(~pl.col("measure").str.starts_with(AMOUNTS))
    added = counts.group_by("measure").agg(pl.col("value").sum()).sort("measure")
    return {measure: int(value) for measure, value in added.iter_rows()}


def by_contract(accepted: Iterable[tuple[str, Lines]]) -> dict[str, pl.DataFrame]:
    """The accepted lines of several sheets put together: contract → lines, for those that have lines."""
    frames: dict[str, list[pl.DataFrame]] = {}
    for contract, lines in accepted:
        if contract != APPLICATION and lines.height:
            frames.setdefault(contract, []).append(lines.frame)
    return {contract: pl.concat(frames[contract]) for contract in others() if contract in frames}
