"""How long private copies are kept: those that nothing reads any more are removed after the days of `publication.toml`.

A copy serves as long as a deposit of the same content is loaded, or waits for an answer. It no longer does once its
file was withdrawn, replaced at its path or by its corrected copy, or when it was refused; the days count from then.
What was read of it stays: lines, receipts and the ledger are no copies.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from pipelines.ingest.deposit import holds, take_again
from pipelines.ingest.guards import origins_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pipelines.ingest.deposited import Deposit
    from pipelines.ingest.ledger import Ledger
    from pipelines.ingest.origin_mark import Mark


def remove_old_copies(deposits: Iterable[Deposit], ledger: Ledger, copies: Path, now: datetime, *, days: int) -> int:
    """Remove from `copies` those that have served nothing for more than `days` days; returns how many.

    `deposits`: what this pass reads, once it is decided which are loaded. Each removal is told to the ledger first: a
    kill in between leaves a copy that the next run removes.
    """
    known, files, taken, marks = {d.deposit_id: d for d in deposits}, ledger.files(), ledger.deposits(), ledger.marks()
    unused: dict[str, list[datetime | None]] = {}
    for row in taken.values():
        deposit = known.get(row["deposit_id"])
        since = _left(row, files, taken) if deposit is None else _unused(deposit, files, taken, marks)
        unused.setdefault(row["sha256"], []).append(since)
    removed = 0
    for sha256, times in sorted(unused.items()):
        since = None if None in times else max(time for time in times if time is not None)
        if since is None or since > now - timedelta(days=days) or not (copies / sha256).is_file():
            continue
        ledger.record_removal(sha256, unused_since=since, now=now)
        (copies / sha256).unlink()
        removed += 1
    return removed


def _unused(
    deposit: Deposit,
    files: Mapping[str, dict[str, Any]],
    taken: Mapping[str, dict[str, Any]],
    marks: Mapping[str, Mark],
) -> datetime | None:
    """Since when a deposit that this pass reads has served nothing; None while it does."""
    if deposit.is_current:
        return None
    gone = files[deposit.path]["gone_at"] if deposit.path in files else None
    if not deposit.is_present:
        return datetime.fromisoformat(gone) if gone else _left(taken[deposit.deposit_id], files, taken)
    if deposit.is_extract or deposit.report.status == "refused":
        return deposit.received_at
    if deposit.awaits or deposit.report.status == "held":
        return None
    copies = [
        datetime.fromisoformat(taken[name]["received_at"])
        for name in marks
        if name in taken and deposit.deposit_id in origins_of(name, deposit.depositor, marks)
    ]
    return max(copies, default=None)


def _left(
    row: Mapping[str, Any], files: Mapping[str, dict[str, Any]], taken: Mapping[str, dict[str, Any]]
) -> datetime | None:
    """Since when no file of the inbox holds this deposit (withdrawn, or another content at its path); None: unknown."""
    holding = [file for file in files.values() if file["deposit_id"] == row["deposit_id"]]
    if any(file["withdrawn_at"] is None for file in holding):
        return None
    times = [datetime.fromisoformat(file["withdrawn_at"]) for file in holding]
    times += [
        datetime.fromisoformat(other["received_at"])
        for other in taken.values()
        if other["path"] == row["path"] and other["arrival"] > row["arrival"]
    ][:1]
    return max(times, default=None)


def has_copy(row: Mapping[str, Any], path: str, raw: Path, warehouse: Path) -> bool:
    """Whether the bytes of a deposit can be read: its copy is there, or is taken again from its file in the inbox.

    A copy that no longer holds what was copied is removed.
    """
    copies, sha256 = warehouse / "deposits", str(row["sha256"])
    if holds(copies / sha256, sha256):
        return True
    (copies / sha256).unlink(missing_ok=True)
    return take_again(raw / path, copies, sha256)


def former_staging(deposit_id: str, ledger: Ledger, warehouse: Path) -> tuple[Path, str] | None:
    """What was last read of a deposit, and the sentence (French) that says why it is not read again; None: nothing."""
    for row in ledger.stagings(deposit_id):
        folder = warehouse / "staging" / row["recipe_key"]
        if folder.is_dir():
            day = datetime.fromisoformat(row["staged_at"])
            return folder, (
                "Les règles de lecture ont changé, mais la copie privée de ce fichier n’est plus conservée : la "
                f"lecture du {day:%d/%m/%Y} est gardée telle quelle. Pour une nouvelle lecture, déposez-le "
                "à nouveau."
            )
    return None
