"""What the next pass would read again because a format, a contract or the code changed, and how long that takes.

The time is the ledger's own: the bytes that former runs staged, over the time those runs took. Nothing is changed.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from pipelines.ingest import french
from pipelines.ingest.declarations import Declarations
from pipelines.ingest.deposit import InboxError, look
from pipelines.ingest.inbox import origin_of_row
from pipelines.ingest.ledger import Ledger
from pipelines.ingest.retention import former_staging
from pipelines.ingest.stage import read_report, recipe_key

if TYPE_CHECKING:
    from pathlib import Path

_LEAST_SECONDS = 1.0  # the ledger's times have no fractions


@dataclass(frozen=True)
class Cost:
    """What the next pass reads. `n_new` files never read; `n_again` files read before, of `lines_again` lines.

    `n_kept`: files whose reading stays as it was, their private copy being gone. `seconds` is None when no former run
    read anything; it stands on `n_runs` runs.
    """

    n_new: int = 0
    n_again: int = 0
    lines_again: int = 0
    bytes_new: int = 0
    bytes_again: int = 0
    n_kept: int = 0
    seconds: float | None = None
    n_runs: int = 0


def told_plainly(found: Cost) -> str:
    """A cost in one French sentence."""
    if not found.n_new and not found.n_again:
        return "rien de nouveau à lire, rien à relire."
    parts = [french.count(found.n_new, "fichier nouveau", "fichiers nouveaux")] if found.n_new else []
    if found.n_again:
        lines = french.count(found.lines_again, "ligne")
        parts.append(
            f"{french.count(found.n_again, 'fichier')} à relire ({lines}), parce qu'un format, le contrat, "
            "funder.toml, une réponse ou le code a changé"
        )
    how_long = "durée inconnue, aucun passage n'ayant encore lu de fichier"
    if found.seconds is not None:
        runs = french.count(found.n_runs, "passage")
        how_long = f"environ {french.count(max(1, round(found.seconds)), 'seconde')}, d'après {runs}"
    kept = (
        f" ; {french.count(found.n_kept, 'lecture gardée', 'lectures gardées')}, faute de copie" if found.n_kept else ""
    )
    return f"{french.listed(parts)} ; {how_long}{kept}."


def cost(raw: Path, warehouse: Path) -> Cost:
    """The cost of the next pass over `raw`. Raises `InboxError` when `raw` is not there."""
    present = {file.path: file for file in look(raw)}
    ledger_file = warehouse / "ledger.sqlite"
    if not ledger_file.is_file():
        size = sum(file.size for file in present.values())
        return Cost(n_new=len(present), bytes_new=size)
    try:
        with Ledger.copied(ledger_file) as ledger:
            return _cost(ledger, {path: file.size for path, file in present.items()}, raw, warehouse)
    except sqlite3.DatabaseError as error:
        raise InboxError("Le registre ne peut pas être lu : lancez `qfq doctor`.") from error


def _cost(ledger: Ledger, present: dict[str, int], raw: Path, warehouse: Path) -> Cost:
    taken, files = ledger.deposits(), ledger.files()
    new = {path: size for path, size in present.items() if path not in files or files[path]["size"] != size}
    again, lines, kept, unread = 0, 0, 0, sum(new.values())
    n_again, n_new, declared = 0, len(new), Declarations(raw)
    for path, row in files.items():
        if row["withdrawn_at"] is not None or path in new:
            continue
        deposit = taken[row["deposit_id"]]
        if (warehouse / "staging" / recipe_key(deposit["sha256"], origin_of_row(deposit, declared))).is_dir():
            continue
        former = former_staging(row["deposit_id"], ledger, warehouse)
        if former is None:
            n_new, unread = n_new + 1, unread + deposit["size"]
        elif (warehouse / "deposits" / deposit["sha256"]).is_file() or (raw / path).is_file():
            n_again, again = n_again + 1, again + deposit["size"]
            lines += read_report(former[0]).rows_read
        else:
            kept += 1
    rate, n_runs = _bytes_a_second(ledger)
    seconds = None if rate is None else (again + unread) / rate
    return Cost(n_new, n_again, lines, unread, again, kept, seconds, n_runs)


def _bytes_a_second(ledger: Ledger) -> tuple[float | None, int]:
    """How fast former runs staged, all together, and how many they were: a staging bears the start of its run."""
    sizes: dict[str, int] = defaultdict(int)
    for staged_at, size in ledger.staged_sizes():
        sizes[staged_at] += size
    total, seconds, n_runs = 0, 0.0, 0
    for started, ended in ledger.ended_runs():
        if started in sizes:
            total += sizes[started]
            seconds += max(
                (datetime.fromisoformat(ended) - datetime.fromisoformat(started)).total_seconds(), _LEAST_SECONDS
            )
            n_runs += 1
    return (total / seconds if total else None), n_runs
