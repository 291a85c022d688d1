"""What a pass over the inbox leaves for the warehouse: one JSON file that names what is current and why.

The warehouse builds from this file, from staging and from the pairs of lines it names, and from nothing else; it is
replaced in one move.
"""

from __future__ import annotations

import hashlib
import io
import json
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.ingest.deposited import Deposit, Pass
    from pipelines.ingest.rhythm import Delivery, Reminder, Rhythm

NAME = "current.json"
TWINS = "twins"


def write_manifest(done: Pass, *, raw: Path, warehouse: Path) -> Path:
    """Write `current.json` in `warehouse`, and return its path.

    It lists `deposits`, `versions`, `funder_declarations`, `line_decisions`, `deliveries`, `rhythms` and `reminders`,
    and says how many `removed_copies`.
    `twins` names the Parquet file of the lines that two depositors report, written before and never changed.
    """
    twins = _write_twins(done, warehouse / TWINS)
    body = {
        "twins": twins.relative_to(warehouse).as_posix(),
        "deposits": [_deposit(deposit, raw, warehouse) for deposit in done.deposits],
        "versions": [
            {
                "deposit_id": v.deposit_id,
                "fiscal_year": v.fiscal_year,
                "is_counted": v.is_counted,
                "reason": v.reason,
                "other_deposit_id": v.other_deposit_id,
                "lines": v.lines,
                "lines_matched": v.lines_matched,
                "shared": v.shared,
                "decided_by": v.decided_by,
            }
            for v in done.versions
        ],
        "line_decisions": [
            {**row, "decided_date": row["decided_date"].isoformat()}
            for row in done.twins.decisions.iter_rows(named=True)
        ],
        "removed_copies": done.removed_copies,
        "deliveries": [_plain(row) for row in done.deliveries],
        "rhythms": [_plain(row) for row in done.rhythms],
        "reminders": [_plain(row) for row in done.reminders],
        "funder_declarations": [row for deposit in _one_each(done.deposits) for row in _declarations(deposit)],
    }
    target = warehouse / NAME
    aside = target.with_suffix(".tmp")
    aside.write_text(json.dumps(body, ensure_ascii=False, indent=1), encoding="utf-8")
    aside.replace(target)
    for former in twins.parent.iterdir():
        if former != twins:
            former.unlink()
    return target


def _write_twins(done: Pass, folder: Path) -> Path:
    """The pairs of lines in `folder`, under the hash of their content: a file that the former manifest names stays."""
    content = io.BytesIO()
    done.twins.pairs.write_parquet(content, compression="zstd")
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"{hashlib.sha256(content.getvalue()).hexdigest()[:32]}.parquet"
    if not target.is_file() or target.read_bytes() != content.getvalue():
        aside = target.with_suffix(".tmp")
        aside.write_bytes(content.getvalue())
        aside.replace(target)
    return target


def _deposit(deposit: Deposit, raw: Path, warehouse: Path) -> dict[str, Any]:
    report = deposit.report
    severities = [issue.severity for issue in report.issues]
    return {
        "deposit_id": deposit.deposit_id,
        "depositor": deposit.depositor,
        "file_name": deposit.file_name,
        "relative_path": deposit.path,
        "sha256": deposit.sha256,
        "size_bytes": deposit.size,
        "received_at": deposit.received_at.isoformat(),
        "source_updated_at": deposit.stated_date.isoformat() if deposit.stated_date else None,
        "format_id": report.format,
        "recognised_by": report.recognised_by,
        "status": report.status,
        "is_current": deposit.is_current or (deposit.is_present and report.status != "accepted"),
        "is_demonstration": report.is_demonstration,
        "rows_read": report.rows_read,
        "rows_accepted": report.rows_accepted,
        "rows_rejected": report.rows_rejected,
        "rows_ignored": report.rows_ignored,
        "issues_error": severities.count("error"),
        "issues_warning": severities.count("warning"),
        "issues_info": severities.count("info"),
        "awaits": deposit.awaits,
        "message": " ".join(report.messages) or None,
        "receipt": deposit.receipt.relative_to(raw).as_posix() if deposit.receipt else None,
        "staging": deposit.staging.relative_to(warehouse).as_posix(),
    }


def _plain(row: Delivery | Rhythm | Reminder) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in asdict(row).items()}


def _one_each(deposits: list[Deposit]) -> list[Deposit]:
    return list({deposit.depositor: deposit for deposit in deposits}.values())


def _declarations(deposit: Deposit) -> list[dict[str, Any]]:
    """What funder.toml says of refusals, one row for each service and year it names (null: all), then of budgets."""
    declared = deposit.funder_file
    whole = {
        "depositor": deposit.depositor,
        "funder_name": declared.name,
        "funder_siren": declared.siret[:9] if declared.siret else None,
        "funder_level": declared.level,
        "publishes_refusals": declared.publishes_refusals,
        "service_name": None,
        "fiscal_year": None,
        "publication_threshold": declared.publication_threshold,
        "publication_scope": declared.publication_scope,
        "scheme": None,
        "budget": None,
        "budget_source": None,
    }
    rows = [whole]
    for refusals in declared.refusals:
        for year in refusals.years or (None,):
            told = {"publishes_refusals": refusals.published, "service_name": refusals.service, "fiscal_year": year}
            rows.append({**whole, **told})
    for budget in declared.budgets:
        named = {name: whole[name] for name in ("depositor", "funder_name", "funder_siren", "funder_level")}
        rows.append({
            **dict.fromkeys(whole), **named, "service_name": budget.service, "fiscal_year": budget.year,
            "scheme": budget.scheme, "budget": str(budget.amount), "budget_source": budget.source,
        })  # fmt: skip
    return rows
