"""One deposit as a pass over the inbox leaves it, and the whole pass; what is done to them is elsewhere."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.matching import COLUMNS
from pipelines.ingest.staged import scan_accepted
from schemas.contracts import others, staged_name

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime
    from pathlib import Path

    from pipelines.ingest.layout_changes import LayoutChange
    from pipelines.ingest.report import Report
    from pipelines.ingest.rhythm import Delivery, Reminder, Rhythm
    from pipelines.ingest.twins import Twins
    from pipelines.ingest.versions import Version
    from schemas.funder import FunderFile


@dataclass
class Deposit:
    """One deposit as this pass leaves it.

    `is_present`: its file is in the inbox. `is_current`: its lines are loaded (which of them count, versions say).
    """

    deposit_id: str
    depositor: str
    file_name: str
    path: str
    sha256: str
    size: int
    received_at: datetime
    arrival: int
    funder_file: FunderFile
    report: Report
    staging: Path
    is_new: bool
    is_present: bool = True
    is_current: bool = False
    stated_date: date | None = None
    is_extract: bool = False
    """It is our own extract of lines in question, of which nothing is loaded."""
    awaits: str | None = None
    """What somebody's confirmation would do, as a French infinitive; None when nothing waits for one."""
    receipt: Path | None = None


@dataclass
class Pass:
    """What one pass over the inbox gives. `untaken`: path → why a file could not even be taken (French).

    `removed_copies`: how many private copies had served nothing for longer than they are kept.
    """

    deposits: list[Deposit]
    versions: list[Version]
    twins: Twins
    untaken: dict[str, str] = field(default_factory=dict)
    removed_copies: int = 0
    deliveries: list[Delivery] = field(default_factory=list)
    rhythms: list[Rhythm] = field(default_factory=list)
    reminders: list[Reminder] = field(default_factory=list)
    layout_changes: list[LayoutChange] = field(default_factory=list)


def lines_of(deposit: Deposit) -> pl.DataFrame:
    """The accepted lines of `deposit`, with `matching.COLUMNS`."""
    return scan_accepted(deposit.staging).select(COLUMNS).collect()


def await_confirmation(deposit: Deposit, purpose: str) -> str:
    """`deposit` waits for somebody's confirmation; returns the French sentence that says how to give it."""
    deposit.awaits = purpose
    return (
        f"Pour {purpose}, déposez dans le même dossier un fichier vide nommé CONFIRMER-{deposit.report.sha256[:8]}.txt."
    )


def other_lines(deposits: Iterable[Deposit]) -> Counter[str]:
    """How many accepted lines of the other contracts `deposits` hold together, by contract."""
    files = ((c, d.staging / f"{staged_name(c)}.parquet") for d in deposits for c in others())
    counts: Counter[str] = Counter()
    for contract, path in files:
        if path.is_file():
            counts[contract] += pl.scan_parquet(path).select(pl.len()).collect().item()
    return counts
