"""The whole inbox, in one pass: take what is new, stage it, decide versions, answer each depositor.

One clerk's mistake stops nobody else: an unreadable file, an unusable `funder.toml` or a file that cannot be opened is
an answer to its author, and the pass goes on.
"""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from pipelines.ingest.answers import answer_all, sweep_answers, write_copies, write_legal
from pipelines.ingest.choice import decide_all, link_all, tell_twins, tell_versions
from pipelines.ingest.dates import date_in_name
from pipelines.ingest.declarations import Declarations
from pipelines.ingest.deposit import (
    InboxError,
    InboxFile,
    UntakenError,
    deposit_id,
    depositor_of,
    is_gone,
    settled,
    take,
)
from pipelines.ingest.deposited import Deposit, Pass
from pipelines.ingest.guards import hold_back, let_in, origins_of, settle_withdrawals, supersede
from pipelines.ingest.layout_changes import layout_changes
from pipelines.ingest.ledger import Ledger
from pipelines.ingest.normalise import Origin
from pipelines.ingest.origin_mark import origin_of
from pipelines.ingest.pool import Workers, both, waiting_together
from pipelines.ingest.retention import former_staging, has_copy, remove_old_copies
from pipelines.ingest.rhythm import brought_as_totals, covered_years, deliveries, follow
from pipelines.ingest.seal import drop_damaged
from pipelines.ingest.stage import get_ready, recipe_key, stage, sweep
from pipelines.ingest.staged import scan_accepted
from schemas.publication import load_publication

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from pipelines.ingest.report import Report
    from pipelines.ingest.twins import Twins
    from pipelines.ingest.versions import Version

    Progress = Callable[[str, int, int], None]
    """Called with a file's path, its rank and the number of files."""

_AT_ONCE = 16
"""Files copied at the same time and told to the ledger together: each copy, and each telling, waits for the disk."""
_SAME_MOMENT = timedelta(seconds=1)  # the ledger's times have no fractions
_CONFIRMATION = re.compile(r"^CONFIRMER-([0-9a-f]{8})\.txt$", re.IGNORECASE)


def ingest(raw: Path, warehouse: Path, *, as_of: date, progress: Progress | None = None) -> Pass:
    """Bring staging and ledger in `warehouse` up to date with the inbox `raw`, and write the receipts.

    Raises `InboxError` when `raw` is absent or empty: an unmounted disk must not pass for withdrawals.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    _repair(warehouse)
    sweep_answers(raw)
    with Workers() as workers, _recorded(warehouse, as_of, now):
        done = _read_inbox(raw, warehouse, now, workers, progress, as_of)
        present = [deposit for deposit in done.deposits if deposit.is_present]
        write_copies(present, raw, warehouse, workers)
        answer_all(present, raw, as_of, workers)
    return done


@dataclass(frozen=True)
class Unread:
    """A deposit that is to be read: its private copy, where it comes from, its bytes, and its staging folder's name."""

    sha256: str
    origin: Origin
    size: int
    key: str


def unread(raw: Path, warehouse: Path) -> list[Unread]:
    """Take what is new in the inbox, and list what the next pass would have to read; nothing is read or decided.

    Raises `InboxError` as `ingest` does. Whoever calls it holds the turn to write.
    """
    _repair(warehouse)
    with Ledger(warehouse / "ledger.sqlite") as ledger:
        _take(_settled(raw), raw, warehouse, ledger, datetime.now(UTC).replace(microsecond=0))
        taken = ledger.deposits()
        rows = [taken[row["deposit_id"]] for row in ledger.files().values() if row["withdrawn_at"] is None]
    return _unread(rows, raw, warehouse, Declarations(raw))


def _repair(warehouse: Path) -> None:
    """Remove what a killed run left half done and what a disk damaged: both are read again."""
    sweep(warehouse / "deposits", warehouse / "staging")
    drop_damaged(warehouse / "staging")


@contextmanager
def _recorded(warehouse: Path, as_of: date, now: datetime) -> Iterator[None]:
    """The ledger says that a run began and how it ended; that of a killed one has no end."""
    with Ledger(warehouse / "ledger.sqlite") as ledger:
        run = ledger.start_run(as_of, now)
    outcome = "failed"
    try:
        yield
        outcome = "read"
    finally:
        with Ledger(warehouse / "ledger.sqlite") as ledger:
            ledger.end_run(run, outcome, datetime.now(UTC).replace(microsecond=0))


def _read_inbox(
    raw: Path, warehouse: Path, now: datetime, workers: Workers, progress: Progress | None, as_of: date
) -> Pass:
    """Take, stage and decide, all of it told to the ledger."""
    with Ledger(warehouse / "ledger.sqlite") as ledger:
        files = _settled(raw)
        workers.start(get_ready, sizes=[file.size for file in _new(files, ledger)])
        untaken = _take(files, raw, warehouse, ledger, now)
        _note_confirmations(raw, ledger, now)
        deposits = _stage_all(raw, warehouse, ledger, now, workers, progress)
        present = [deposit for deposit in deposits if deposit.is_present]
        (versions, twins), _ = both(
            lambda: _decided(deposits, ledger, now),
            lambda: write_legal(present, workers),
            lines=sum(deposit.report.rows_read for deposit in deposits),
        )
        days = load_publication().retention.deposits_days
        removed = remove_old_copies(deposits, ledger, warehouse / "deposits", now, days=days)
        brought = ledger.brought()
        brought += brought_as_totals(deposits, brought)
        changed = layout_changes(deposits, ledger, warehouse)
    tell_versions(deposits, versions)
    tell_twins(deposits, twins)
    days_brought = deliveries(brought, {deposit.deposit_id: deposit.stated_date for deposit in deposits})
    rhythms, reminders = follow(days_brought, covered_years(deposits, versions), as_of=as_of)
    return Pass(deposits, versions, twins, untaken, removed, days_brought, rhythms, reminders, changed)


def _decided(deposits: list[Deposit], ledger: Ledger, now: datetime) -> tuple[list[Version], Twins]:
    """Which deposits count for which years, and the lines of two depositors, told to the ledger."""
    supersede(deposits, ledger)
    settle_withdrawals(deposits, ledger, now)
    versions = decide_all([deposit for deposit in deposits if deposit.is_current], ledger)
    twins = link_all(deposits, versions)
    ledger.record_decisions(versions, twins, now)
    return versions, twins


def _settled(raw: Path) -> list[InboxFile]:
    files = settled(raw)
    if not files:
        raise InboxError(f"Le dossier des dépôts « {raw} » est vide : rien n'a été fait.")
    return files


def _take(files: list[InboxFile], raw: Path, warehouse: Path, ledger: Ledger, now: datetime) -> dict[str, str]:
    known, untaken = ledger.files(), {}
    new = _new(files, ledger)

    def taken(file: InboxFile) -> str | UntakenError:
        try:
            return take(raw / file.path, warehouse / "deposits", seen=file)
        except UntakenError as error:
            return error

    for some in (new[start : start + _AT_ONCE] for start in range(0, len(new), _AT_ONCE)):
        held = []
        for file, sha256 in zip(some, waiting_together(taken, some), strict=True):
            if isinstance(sha256, UntakenError):
                untaken[file.path] = str(sha256)
            else:
                mark = origin_of((warehouse / "deposits" / sha256).read_bytes())
                held.append((file, deposit_id(file.depositor, sha256), sha256, mark))
        ledger.record_files(held, now)
    present = {file.path for file in files}
    absent = [path for path in known if path not in present]
    gone = [path for path in absent if is_gone(raw / path)]
    ledger.record_gone(gone, now)
    closed = {path for path in absent if path not in gone and not os.access((raw / path).parent, os.X_OK)}
    untaken |= dict.fromkeys(closed, "Le dossier de ce fichier ne peut pas être lu : ce qui en a été lu reste compté.")
    return untaken


def _new(files: list[InboxFile], ledger: Ledger) -> list[InboxFile]:
    """Those of `files` that the ledger does not know as they are now."""
    known = ledger.files()

    def is_new(file: InboxFile) -> bool:
        row = known.get(file.path)
        return row is None or (row["size"], row["mtime_ns"], row["gone_at"]) != (file.size, file.mtime_ns, None)

    return [file for file in files if is_new(file)]


def _note_confirmations(raw: Path, ledger: Ledger, now: datetime) -> None:
    """A file `CONFIRMER-<first 8 of the sha256>.txt` in a depositor's folder lets that deposit through.

    Left in the folder it says nothing new; dropped again, it does.
    """
    released = ledger.releases()
    for path in sorted(raw.glob("**/CONFIRMER-*.txt")):
        match = _CONFIRMATION.match(path.name)
        try:
            dropped = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        except FileNotFoundError:  # taken back since it was listed
            continue
        for row in ledger.deposits().values():
            own = depositor_of(path.relative_to(raw).as_posix()) == row["depositor"]
            if match and own and row["sha256"].startswith(match[1].lower()):
                last = released.get(row["deposit_id"])
                if last is None or dropped > last + _SAME_MOMENT:
                    ledger.release(row["deposit_id"], how=path.name, now=now)


def _stage_all(
    raw: Path, warehouse: Path, ledger: Ledger, now: datetime, workers: Workers, progress: Progress | None
) -> list[Deposit]:
    """Every deposit that may be current: those present, those just gone, and what a bad rewrite would replace."""
    declared = Declarations(raw)
    taken, files = ledger.deposits(), sorted(ledger.files().values(), key=lambda row: row["path"])
    files = [row for row in files if row["withdrawn_at"] is None]
    released, loaded, marks = ledger.releases(), ledger.let_in(), ledger.marks()
    read_before = ledger.recorded_stagings()
    fresh = _stage_ahead([taken[row["deposit_id"]] for row in files], raw, warehouse, declared, workers, progress)
    known = read_before - fresh
    deposits: dict[str, Deposit] = {}
    staged: list[Deposit] = []
    for rank, row in enumerate(files, start=1):
        if progress is not None:
            progress(row["path"], rank, len(files))
        deposit = _staged(taken[row["deposit_id"]], row["path"], raw, warehouse, declared, ledger, known)
        staged.append(deposit)
        deposit.is_present = row["gone_at"] is None
        for origin in origins_of(deposit.deposit_id, deposit.depositor, marks):
            # A copy under a name without a date is as recent as what it was made from.
            if deposit.stated_date is None and origin in taken:
                deposit.stated_date = date_in_name(taken[origin]["file_name"])
        deposit.is_current = let_in(deposit, released)
        previous, kept = row["previous_deposit_id"], None
        if previous is not None and not (deposit.is_current and deposit.deposit_id in loaded):
            kept = _staged(taken[previous], row["path"], raw, warehouse, declared, ledger, known)
            staged.append(kept)
            kept.is_present, kept.is_current = False, let_in(kept, released)
            hold_back(deposit, kept, released)
        if deposit.deposit_id not in deposits or not deposits[deposit.deposit_id].is_present:
            deposits[deposit.deposit_id] = deposit
        if kept is not None and not deposit.is_current:
            deposits.setdefault(kept.deposit_id, kept)
    new = [deposit for deposit in staged if deposit.is_new or deposit.staging.name not in read_before]
    ledger.record_stagings([(d.staging.name, d.deposit_id, d.report.status, _staged_at(d, now)) for d in new])
    return sorted(deposits.values(), key=lambda deposit: (deposit.path, deposit.arrival))


def _staged_at(deposit: Deposit, now: datetime) -> datetime:
    """The start of this pass, or before it what a shard staged, or a run killed before it could tell."""
    return min(now, datetime.fromtimestamp(int(deposit.staging.stat().st_mtime), UTC))


def _stage_ahead(
    rows: list[dict[str, Any]],
    raw: Path,
    warehouse: Path,
    declared: Declarations,
    workers: Workers,
    progress: Progress | None,
) -> set[str]:
    """Stage what has never been staged on all processors, when there is enough of it; returns the keys now staged."""
    unseen = _unread(rows, raw, warehouse, declared)

    def done(count: int) -> None:
        if progress is not None:
            progress("lecture des fichiers nouveaux", count, len(unseen))

    tasks = [(warehouse / "deposits" / one.sha256, one.origin, warehouse / "staging" / one.key) for one in unseen]
    workers.for_each(stage, tasks, sizes=[one.size for one in unseen], done=done)
    return {one.key for one in unseen}


def _unread(rows: list[dict[str, Any]], raw: Path, warehouse: Path, declared: Declarations) -> list[Unread]:
    """What of these deposits of the ledger is to be read, and can be."""
    found = {}
    for row in rows:
        origin, _ = _origin(row, declared)
        key = recipe_key(row["sha256"], origin)
        if not (warehouse / "staging" / key).is_dir() and has_copy(row, row["path"], raw, warehouse):
            found[key] = Unread(row["sha256"], origin, row["size"], key)
    return list(found.values())


def origin_of_row(row: Mapping[str, Any], declared: Declarations) -> Origin:
    """Where a deposit of the ledger comes from, with what its depositor declares today."""
    return _origin(row, declared)[0]


def _origin(row: Mapping[str, Any], declared: Declarations) -> tuple[Origin, str | None]:
    """Where a deposit comes from, and what of its depositor's declarations cannot be used, if anything."""
    funder_file, problem = declared.of(row["depositor"])
    return Origin(row["deposit_id"], row["depositor"], row["file_name"], funder_file), problem


def _staged(
    row: Mapping[str, Any],
    path: str,
    raw: Path,
    warehouse: Path,
    declared: Declarations,
    ledger: Ledger,
    known: set[str],
) -> Deposit:
    origin, problem = _origin(row, declared)
    key = recipe_key(row["sha256"], origin)
    folder = warehouse / "staging" / key
    is_new = not (folder.is_dir() and key in known)
    former = None
    if not folder.is_dir() and not has_copy(row, path, raw, warehouse):
        former = former_staging(row["deposit_id"], ledger, warehouse)
        if former is None:
            raise InboxError(
                f"Ni la copie privée de « {path} » ni ce qui en a été lu ne sont conservés, et le fichier n'est plus "
                "dans le dossier des dépôts. Remettez-y le fichier, ou rétablissez « staging » depuis une sauvegarde."
            )
        is_new, folder = False, former[0]
    report = stage(warehouse / "deposits" / row["sha256"], origin, folder)
    report.messages[:0] = [told for told in (former and former[1], problem) if told]
    return Deposit(
        deposit_id=row["deposit_id"],
        depositor=row["depositor"],
        file_name=row["file_name"],
        path=path,
        sha256=row["sha256"],
        size=row["size"],
        received_at=datetime.fromisoformat(row["received_at"]),
        arrival=row["arrival"],
        funder_file=origin.funder_file,
        report=report,
        staging=folder,
        is_new=is_new,
        stated_date=_stated_date(report, folder) or date_in_name(row["file_name"]),
        is_extract=bool(row["is_extract"]),
    )


def _stated_date(report: Report, staging: Path) -> date | None:
    """The latest date of update that a column of the file states; None when it has no such column."""
    if not any(column.field == "source_updated_at" for column in report.columns):
        return None
    dates = scan_accepted(staging).select("source_updated_at").collect()["source_updated_at"]
    return dates.max()  # type: ignore[return-value]
