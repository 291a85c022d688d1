"""The whole inbox, in one pass: take what is new, stage it, decide versions, answer each depositor.

One clerk's mistake stops nobody else: an unreadable file, an unusable `funder.toml` or a file that cannot be opened is
an answer to its author, and the pass goes on.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

import polars as pl

from pipelines.ingest import french
from pipelines.ingest.annotate import copy_path, is_wanted, write_annotated
from pipelines.ingest.dates import date_in_name
from pipelines.ingest.deposit import RECEIPTS, InboxError, InboxFile, deposit_id, settled, take
from pipelines.ingest.ledger import Ledger
from pipelines.ingest.matching import COLUMNS
from pipelines.ingest.normalise import UNKNOWN_FUNDER, Origin
from pipelines.ingest.origin_mark import origin_of
from pipelines.ingest.pool import Workers
from pipelines.ingest.receipt import has_legal_csv, legal_name, write_receipt
from pipelines.ingest.stage import LEGAL_CSV, put_beside, recipe_key, stage, sweep
from pipelines.ingest.versions import Candidate, Version, decide, loses_too_much
from schemas.application import Application
from schemas.contract import polars_schema
from schemas.funder import FILE_NAME, FunderFile, FunderFileError, load_funder_file

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from pipelines.ingest.origin_mark import Mark
    from pipelines.ingest.report import Report

    Progress = Callable[[str, int, int], None]
    """Called with a file's path, its rank and the number of files."""

_CONFIRMATION = re.compile(r"^CONFIRMER-([0-9a-f]{8})\.txt$", re.IGNORECASE)


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
    receipt: Path | None = None


@dataclass
class Pass:
    """What one pass over the inbox gives. `untaken`: path → why a file could not even be taken (French)."""

    deposits: list[Deposit]
    versions: list[Version]
    untaken: dict[str, str] = field(default_factory=dict)


def ingest(raw: Path, warehouse: Path, *, as_of: date, progress: Progress | None = None) -> Pass:
    """Bring staging and ledger in `warehouse` up to date with the inbox `raw`, and write the receipts.

    Raises `InboxError` when `raw` is absent or empty: an unmounted disk must not pass for withdrawals.
    """
    now = datetime.now(UTC).replace(microsecond=0)
    sweep(warehouse / "deposits", warehouse / "staging")
    with Workers() as workers:
        done = _read_inbox(raw, warehouse, now, workers, progress)
        _annotate([deposit for deposit in done.deposits if deposit.is_present], raw, warehouse, workers)
    for deposit in done.deposits:
        if deposit.is_present:
            deposit.receipt = _answer(deposit, raw, as_of)
    return done


def _read_inbox(raw: Path, warehouse: Path, now: datetime, workers: Workers, progress: Progress | None) -> Pass:
    """Take, stage and decide, all of it told to the ledger."""
    with Ledger(warehouse / "ledger.sqlite") as ledger:
        files = settled(raw)
        if not files:
            raise InboxError(f"Le dossier des dépôts « {raw} » est vide : rien n'a été fait.")
        untaken = _take(files, raw, warehouse, ledger, now)
        _note_confirmations(raw, ledger, now)
        deposits = _stage_all(raw, warehouse, ledger, now, workers, progress)
        _supersede(deposits, ledger)
        _settle_withdrawals(deposits, ledger, now)
        versions = _decide([deposit for deposit in deposits if deposit.is_current], ledger)
        ledger.record_versions(versions, now)
    _tell_versions(deposits, versions)
    return Pass(deposits, versions, untaken)


def _take(files: list[InboxFile], raw: Path, warehouse: Path, ledger: Ledger, now: datetime) -> dict[str, str]:
    known, untaken = ledger.files(), {}
    for file in files:
        row = known.get(file.path)
        if row is not None and (row["size"], row["mtime_ns"], row["gone_at"]) == (file.size, file.mtime_ns, None):
            continue
        try:
            sha256 = take(raw / file.path, warehouse / "deposits")
        except PermissionError:
            untaken[file.path] = "Le fichier ne peut pas être lu : ses droits d'accès l'interdisent."
        except FileNotFoundError:
            untaken[file.path] = "Le fichier a disparu pendant la lecture."
        else:
            mark = origin_of((warehouse / "deposits" / sha256).read_bytes())
            ledger.record_file(file, deposit_id(file.depositor, sha256), sha256, now, mark=mark)
    present = {file.path for file in files}
    ledger.record_gone([path for path in known if path not in present and not (raw / path).exists()], now)
    return untaken


def _note_confirmations(raw: Path, ledger: Ledger, now: datetime) -> None:
    """A file `CONFIRMER-<first 8 of the sha256>.txt` in a depositor's folder lets that deposit through."""
    for path in sorted(raw.glob("*/**/CONFIRMER-*.txt")):
        match = _CONFIRMATION.match(path.name)
        for row in ledger.deposits().values():
            own = path.relative_to(raw).parts[0] == row["depositor"]
            if match and own and row["sha256"].startswith(match[1].lower()):
                ledger.release(row["deposit_id"], how=path.name, now=now)


def _stage_all(
    raw: Path, warehouse: Path, ledger: Ledger, now: datetime, workers: Workers, progress: Progress | None
) -> list[Deposit]:
    """Every deposit that may be current: those present, those just gone, and what a bad rewrite would replace."""
    taken, files = ledger.deposits(), sorted(ledger.files().values(), key=lambda row: row["path"])
    files = [row for row in files if row["withdrawn_at"] is None]
    released, let_in, marks = ledger.releases(), ledger.let_in(), ledger.marks()
    fresh = _stage_ahead([taken[row["deposit_id"]] for row in files], raw, warehouse, workers, progress)
    deposits: dict[str, Deposit] = {}
    for rank, row in enumerate(files, start=1):
        if progress is not None:
            progress(row["path"], rank, len(files))
        deposit = _staged(taken[row["deposit_id"]], row["path"], raw, warehouse, ledger, now, fresh)
        deposit.is_present = row["gone_at"] is None
        for origin in _origins(deposit.deposit_id, deposit.depositor, marks):
            # A copy under a name without a date is as recent as what it was made from.
            if deposit.stated_date is None and origin in taken:
                deposit.stated_date = date_in_name(taken[origin]["file_name"])
        deposit.is_current = _let_in(deposit, released)
        previous, kept = row["previous_deposit_id"], None
        if previous is not None and not (deposit.is_current and deposit.deposit_id in let_in):
            kept = _staged(taken[previous], row["path"], raw, warehouse, ledger, now, fresh)
            kept.is_present, kept.is_current = False, _let_in(kept, released)
            _hold_back(deposit, kept, released)
        if deposit.deposit_id not in deposits or not deposits[deposit.deposit_id].is_present:
            deposits[deposit.deposit_id] = deposit
        if kept is not None and not deposit.is_current:
            deposits.setdefault(kept.deposit_id, kept)
    return sorted(deposits.values(), key=lambda deposit: (deposit.path, deposit.arrival))


def _hold_back(new: Deposit, old: Deposit, released: set[str]) -> None:
    """A content that loses too much of the one it takes the place of is held, unless somebody let it through."""
    if not (new.is_current and old.is_current) or new.report.is_demonstration or new.deposit_id in released:
        return
    if loses_too_much(_lines(old), _lines(new)):
        new.is_current, new.report.status = False, "held"
        new.report.messages.insert(
            0,
            f"Ce fichier doit remplacer {_called(old, new)}, mais il contient nettement moins de lignes ou d’euros : "
            f"l’ancien reste compté. {_how_to_confirm(new.report, 'remplacer quand même')}",
        )


def _called(old: Deposit, new: Deposit) -> str:
    return "son contenu précédent" if old.path == new.path else f"« {old.file_name} »"


def _supersede(deposits: list[Deposit], ledger: Ledger) -> None:
    """An annotated copy that comes back accepted takes the place of the deposits it was made from."""
    known, released, let_in = {d.deposit_id: d for d in deposits}, ledger.releases(), ledger.let_in()
    marks = ledger.marks()
    for copy in sorted((d for d in deposits if d.deposit_id in marks), key=lambda deposit: deposit.arrival):
        origins = [known[name] for name in _origins(copy.deposit_id, copy.depositor, marks) if name in known]
        replaced = [old for old in origins if copy.is_present or not old.is_present]
        for old in replaced:
            if copy.deposit_id not in let_in:
                _hold_back(copy, old, released)
        if copy.is_current:
            for old in replaced:
                old.is_current = False
                old.report.messages.append(f"Sa copie corrigée « {copy.file_name} » remplace ce fichier.")
                copy.report.messages.append(f"Cette copie corrigée remplace « {old.file_name} ».")


def _origins(copy: str, depositor: str, marks: Mapping[str, Mark]) -> list[str]:
    """The deposits of the same depositor that `copy` was made from, from copy to copy, nearest first."""
    chain = [copy]
    while chain[-1] in marks and (origin := deposit_id(depositor, marks[chain[-1]].sha256)) not in chain:
        chain.append(origin)
    return chain[1:]


def _let_in(deposit: Deposit, released: set[str]) -> bool:
    """Whether the lines of `deposit` are loaded: it is accepted, or held with lines to load and released."""
    report = deposit.report
    if deposit.is_extract:
        report.status = "held"
        report.messages.insert(
            0,
            "Ce fichier est un extrait fait par nous : il ne contient que les lignes en cause, et n’est pas chargé. "
            "Reportez vos corrections dans le fichier d’origine, puis enregistrez-le sous le même nom.",
        )
        return False
    if UNKNOWN_FUNDER in report.funders:
        report.status = "held"
        return False
    if report.status == "held" and report.rows_accepted:
        if deposit.deposit_id not in released:
            report.messages.append(_how_to_confirm(report, "charger les lignes lisibles telles quelles"))
            return False
        report.status = "accepted"
        report.messages.append("Le chargement a été confirmé.")
    return report.status == "accepted"


def _stage_ahead(
    rows: list[dict[str, Any]], raw: Path, warehouse: Path, workers: Workers, progress: Progress | None
) -> set[str]:
    """Stage what has never been staged on all processors, when there is enough of it; returns the keys now staged."""
    unseen = {}
    for row in rows:
        origin, _ = _origin(row, raw)
        folder = warehouse / "staging" / recipe_key(row["sha256"], origin)
        if not folder.is_dir():
            unseen[folder.name] = (row, (warehouse / "deposits" / row["sha256"], origin, folder))

    def done(count: int) -> None:
        if progress is not None:
            progress("lecture des fichiers nouveaux", count, len(unseen))

    workers.for_each(
        stage, [task for _, task in unseen.values()], sizes=[row["size"] for row, _ in unseen.values()], done=done
    )
    return set(unseen)


def _origin(row: Mapping[str, Any], raw: Path) -> tuple[Origin, str | None]:
    """Where a deposit comes from, and why its funder.toml cannot be used, if it cannot."""
    funder_file, problem = _declarations(raw / row["depositor"]) if row["depositor"] else (FunderFile(), None)
    return Origin(row["deposit_id"], row["depositor"], row["file_name"], funder_file), problem


def _staged(
    row: Mapping[str, Any], path: str, raw: Path, warehouse: Path, ledger: Ledger, now: datetime, fresh: set[str]
) -> Deposit:
    origin, problem = _origin(row, raw)
    key = recipe_key(row["sha256"], origin)
    folder = warehouse / "staging" / key
    is_new = key in fresh or not folder.is_dir()
    report = stage(warehouse / "deposits" / row["sha256"], origin, folder)
    if is_new:
        ledger.record_staging(key, row["deposit_id"], report.status, now)
    if problem is not None:
        report.messages.insert(0, problem)
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
        stated_date=date_in_name(row["file_name"]),
        is_extract=bool(row["is_extract"]),
    )


def _declarations(folder: Path) -> tuple[FunderFile, str | None]:
    """The depositor's funder.toml, or an empty one with the message that says why it cannot be used."""
    try:
        return load_funder_file(folder / FILE_NAME), None
    except FunderFileError as error:
        return FunderFile(), f"{error} Les déclarations de ce fichier sont ignorées."


def _settle_withdrawals(deposits: list[Deposit], ledger: Ledger, now: datetime) -> None:
    """Files that left the inbox are withdrawn, unless too much would be lost and nobody confirmed it."""
    released = ledger.releases()
    for depositor in sorted({deposit.depositor for deposit in deposits if not deposit.is_present}):
        own = [deposit for deposit in deposits if deposit.depositor == depositor and deposit.is_current]
        gone = [deposit for deposit in own if not deposit.is_present and deposit.path not in _present(deposits)]
        free = [d for d in gone if d.deposit_id in released or d.report.is_demonstration]
        rest = [d for d in gone if d not in free]
        if rest and _too_much_lost([d for d in own if d not in free], rest, ledger):
            for deposit in rest:
                deposit.report.messages.insert(
                    0,
                    "Ce fichier n’est plus dans le dossier, mais l’enlever retirerait trop de lignes déjà chargées : "
                    "elles restent comptées. " + _how_to_confirm(deposit.report, "confirmer le retrait"),
                )
            gone = free
        for deposit in gone:
            deposit.is_current = False
        marks = ledger.marks()
        origins = [origin for d in gone for origin in _origins(d.deposit_id, d.depositor, marks)]
        ledger.record_withdrawn([*(deposit.deposit_id for deposit in gone), *origins], now)


def _present(deposits: list[Deposit]) -> set[str]:
    return {deposit.path for deposit in deposits if deposit.is_present}


def _too_much_lost(own: list[Deposit], gone: list[Deposit], ledger: Ledger) -> bool:
    left = [deposit for deposit in own if deposit not in gone]
    before, after = (_counted(deposits, ledger) for deposits in (own, left))
    return loses_too_much(before, after)


def _counted(deposits: list[Deposit], ledger: Ledger) -> pl.DataFrame:
    versions = {(v.deposit_id, v.fiscal_year) for v in _decide(deposits, ledger) if v.is_counted}
    frames = [
        _lines(d).filter(pl.Series([(d.deposit_id, y) in versions for y in _lines(d)["fiscal_year"]], dtype=pl.Boolean))
        for d in deposits
    ]
    return pl.concat([pl.DataFrame(schema=polars_schema(Application)).select(COLUMNS), *frames])


def _lines(deposit: Deposit) -> pl.DataFrame:
    return pl.read_parquet(deposit.staging / "accepted.parquet", columns=list(COLUMNS))


def _decide(deposits: list[Deposit], ledger: Ledger) -> list[Version]:
    """Versions of every depositor's current files; lines are read only where there is a choice to make."""
    released = ledger.releases()
    versions: list[Version] = []
    for depositor in sorted({deposit.depositor for deposit in deposits}):
        own = [deposit for deposit in deposits if deposit.depositor == depositor]
        candidates = [
            Candidate(
                deposit_id=d.deposit_id,
                file_name=d.file_name,
                format_id=d.report.format or "",
                arrival=d.arrival,
                stated_date=d.stated_date,
                lines=_lines(d),
                is_released=d.deposit_id in released,
                states_funder=any(c.field == "funder_name" for c in d.report.columns),
            )
            for d in own
        ]
        versions += decide(candidates, own[0].funder_file)
    return versions


def _tell_versions(deposits: list[Deposit], versions: list[Version]) -> None:
    """Each depositor reads which of its files counts for which years, and how many lines they share."""
    names = {deposit.deposit_id: deposit.file_name for deposit in deposits}
    for deposit in deposits:
        own = [v for v in versions if v.deposit_id == deposit.deposit_id and v.other_deposit_id is not None]
        alike = groupby(sorted(own, key=_outcome), key=_outcome)
        for (reason, other, decided_by), group in alike:
            told = list(group)
            years = french.year_ranges([version.fiscal_year for version in told])
            shared = sum(version.lines_matched or 0 for version in told)
            _tell(deposit.report, reason, names[other], decided_by, years, shared)


def _outcome(version: Version) -> tuple[str, str, str]:
    return version.reason, version.other_deposit_id or "", version.decided_by


def _tell(report: Report, reason: str, other: str, decided_by: str, years: str, shared: int) -> None:
    found = f"{french.count(shared, 'ligne')} de l’un se retrouve{'nt' if shared > 1 else ''} dans l’autre"
    by = " comme le demande funder.toml" if decided_by == "funder_file" else ""
    if reason == "counted":
        report.messages.append(f"Pour {years}, ce fichier est compté{by}, et « {other} » ne l’est pas ; {found}.")
    elif reason == "replaced":
        report.messages.append(f"Pour {years}, « {other} » remplace ce fichier{by} ; {found}.")
    elif reason == "held":
        report.messages.append(
            f"Pour {years}, ce fichier contient nettement moins que « {other} » : il n’est pas compté ; {found}. "
            + _how_to_confirm(report, "le compter quand même")
        )
    else:
        report.messages.append(f"Pour {years}, « {other} » est compté{by} à la place de ce fichier ; {found}.")
        if decided_by == "rule":
            report.questions.append(f"Pour {years}, lequel de ce fichier ou de « {other} » faut-il compter ?")


def _how_to_confirm(report: Report, purpose: str) -> str:
    return f"Pour {purpose}, déposez dans le même dossier un fichier vide nommé CONFIRMER-{report.sha256[:8]}.txt."


def _receipts(deposit: Deposit, raw: Path) -> Path:
    return raw / deposit.depositor / RECEIPTS if deposit.depositor else raw / RECEIPTS


def _annotated_path(deposit: Deposit, raw: Path) -> Path | None:
    """Where the annotated copy of a deposit stands; None when none is due."""
    if deposit.is_extract or not is_wanted(deposit.report):
        return None
    return copy_path(deposit.report, _receipts(deposit, raw), file_name=deposit.file_name)


def _annotate(deposits: list[Deposit], raw: Path, warehouse: Path, workers: Workers) -> None:
    """Write the annotated copies that are due and not there yet."""
    due = [d for d in deposits if (path := _annotated_path(d, raw)) and (d.is_new or not path.is_file())]
    tasks = [(d.report, warehouse / "deposits" / d.sha256, _receipts(d, raw), d.file_name) for d in due]
    if not workers.for_each(_write_copy, tasks, sizes=[deposit.size for deposit in due]):
        for task in tasks:
            _write_copy(*task)


def _write_copy(report: Report, content: Path, folder: Path, file_name: str) -> None:
    with suppress(PermissionError):
        write_annotated(report, content.read_bytes(), folder, file_name=file_name)


def _answer(deposit: Deposit, raw: Path, as_of: date) -> Path | None:
    """The receipt, beside the file, and its awards in the legal format; None when the folder cannot be written."""
    folder, report, name = _receipts(deposit, raw), deposit.report, deposit.file_name
    try:
        legal = deposit.staging / LEGAL_CSV if has_legal_csv(report) else None
        put_beside(legal, folder / legal_name(report, file_name=name))
        annotated = _annotated_path(deposit, raw)
        shown = annotated.name if annotated is not None and annotated.is_file() else None
        return write_receipt(report, folder, as_of=as_of, file_name=name, annotated=shown)
    except PermissionError:
        return None
