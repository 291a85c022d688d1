"""Whether a depositor's latest file is laid out as the ones before: columns added, columns gone, another format."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pipelines.ingest.retention import former_staging
from pipelines.ingest.stage import read_report
from schemas.fold import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pipelines.ingest.deposited import Deposit
    from pipelines.ingest.ledger import Ledger
    from pipelines.ingest.report import Report

_ALIKE = 0.3
"""Share of columns in common below which two files are of different sorts: an annual list and a directory, say."""


@dataclass(frozen=True)
class LayoutChange:
    """The latest file of a depositor that is not laid out as the one it resembles most.

    `added` and `removed`: headers as written. `former_format` and `format`: identifiers, None when not recognised.
    """

    depositor: str
    file_name: str
    former_file_name: str
    added: tuple[str, ...]
    removed: tuple[str, ...]
    former_format: str | None
    format: str | None


def layout_changes(deposits: Iterable[Deposit], ledger: Ledger, warehouse: Path) -> list[LayoutChange]:
    """One entry a depositor whose latest file changed its layout; none for a first file, or one of another sort."""
    own: dict[str, list[Deposit]] = {}
    for deposit in deposits:
        if not deposit.is_extract:
            own.setdefault(deposit.depositor, []).append(deposit)
    found, files = [], ledger.files()
    for depositor, mine in sorted(own.items()):
        latest = max(mine, key=lambda d: (d.stated_date or d.received_at.date(), d.arrival))
        others = [(d.file_name, d.report) for d in sorted(mine, key=lambda d: d.arrival) if d is not latest]
        change = _change(
            depositor, latest, [*others, *_at_same_path(latest, files.get(latest.path), ledger, warehouse)]
        )
        if change is not None:
            found.append(change)
    return found


def _at_same_path(
    deposit: Deposit, row: Mapping[str, Any] | None, ledger: Ledger, warehouse: Path
) -> list[tuple[str, Report]]:
    """What the file of this path was before it was written again, as it was read. `row`: what the ledger has of it."""
    previous = row and row["previous_deposit_id"]
    former = former_staging(previous, ledger, warehouse) if previous else None
    return [(deposit.file_name, read_report(former[0]))] if former else []


def _change(depositor: str, latest: Deposit, formers: list[tuple[str, Report]]) -> LayoutChange | None:
    now = _headers(latest.report)
    best: tuple[float, str, Report] | None = None
    for name, report in formers:
        before = _headers(report)
        either = len(now.keys() | before.keys())
        alike = len(now.keys() & before.keys()) / either if either else 0.0
        if alike == 1 and report.format == latest.report.format:
            return None
        if alike >= _ALIKE and (best is None or alike >= best[0]):
            best = (alike, name, report)
    if best is None:
        return None
    before = _headers(best[2])
    return LayoutChange(
        depositor=depositor,
        file_name=latest.file_name,
        former_file_name=best[1],
        added=tuple(now[key] for key in now if key not in before),
        removed=tuple(before[key] for key in before if key not in now),
        former_format=best[2].format,
        format=latest.report.format,
    )


def _headers(report: Report) -> dict[str, str]:
    """Folded header → header as written."""
    return {fold(column.header): column.header for column in report.columns if column.header and fold(column.header)}
