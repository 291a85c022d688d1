"""What is put beside each file: the receipt, the annotated copy, our questions, the awards in the legal format."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

from pipelines.ingest.annotate import copy_path, is_wanted, write_annotated
from pipelines.ingest.deposit import RECEIPTS
from pipelines.ingest.questionnaire import questionnaire_bytes, questionnaire_name
from pipelines.ingest.receipt import has_legal_csv, legal_name, place, receipt_name, write_receipt
from pipelines.ingest.stage import legal_csv, put_beside

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from pipelines.ingest.deposited import Deposit
    from pipelines.ingest.pool import Workers
    from pipelines.ingest.report import Report

_MANY = 500  # receipts that take longer to write than processes to start
_CLOSED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
"""What a folder that cannot be written answers."""
_COPIED = "annotated.txt"
"""In a staging folder: its annotated copy was written. Until then one that lies there may be a former reading's."""


def sweep_answers(raw: Path) -> None:
    """Remove what a killed run left half written beside the files of `raw`; folders that cannot be written are left."""
    for pattern in (RECEIPTS, f"*/{RECEIPTS}"):
        for path in raw.glob(f"{pattern}/.*.tmp"):
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                if error.errno not in _CLOSED:
                    raise


def _receipts(deposit: Deposit, raw: Path) -> Path:
    return raw / deposit.depositor / RECEIPTS if deposit.depositor else raw / RECEIPTS


def _annotated_path(deposit: Deposit, raw: Path) -> Path | None:
    """Where the annotated copy of a deposit stands; None when none is due."""
    if deposit.is_extract or not is_wanted(deposit.report):
        return None
    return copy_path(deposit.report, _receipts(deposit, raw), file_name=deposit.file_name)


def write_legal(deposits: list[Deposit], workers: Workers) -> None:
    """Write the awards of new deposits in the legal format, in their staging folders, when there are many."""
    legal = [deposit for deposit in deposits if has_legal_csv(deposit.report) and deposit.is_new]
    workers.for_each(legal_csv, [(d.staging,) for d in legal], sizes=[deposit.size for deposit in legal])


def write_copies(deposits: list[Deposit], raw: Path, warehouse: Path, workers: Workers) -> None:
    """Write the annotated copies that are due and not there yet."""
    due = [
        d
        for d in deposits
        if (path := _annotated_path(d, raw)) and not ((d.staging / _COPIED).is_file() and path.is_file())
    ]
    due = [d for d in due if (warehouse / "deposits" / d.sha256).is_file()]  # an old copy may be kept no longer
    tasks = [(d.report, warehouse / "deposits" / d.sha256, _receipts(d, raw), d.file_name, d.staging) for d in due]
    if workers.for_each(_write_copy, tasks, sizes=[deposit.size for deposit in due]) is None:
        for task in tasks:
            _write_copy(*task)


def _write_copy(report: Report, content: Path, folder: Path, file_name: str, staging: Path) -> None:
    try:
        write_annotated(report, content.read_bytes(), folder, file_name=file_name)
    except OSError as error:
        if error.errno not in _CLOSED:
            raise
    else:
        (staging / _COPIED).touch()


def answer_all(deposits: list[Deposit], raw: Path, as_of: date, workers: Workers) -> None:
    """Answer each of these deposits, and note in it where its receipt is."""
    tasks = [(deposit, raw, as_of) for deposit in deposits]
    receipts = None
    if len(tasks) >= _MANY:
        receipts = workers.for_each(answer, tasks, sizes=[deposit.size for deposit in deposits])
    if receipts is None:
        receipts = [answer(*task) for task in tasks]
    for deposit, receipt in zip(deposits, receipts, strict=True):
        deposit.receipt = receipt


def answer(deposit: Deposit, raw: Path, as_of: date) -> Path | None:
    """The receipt, beside the file, and its awards in the legal format; None when the folder cannot be written."""
    folder, report, name = _receipts(deposit, raw), deposit.report, deposit.file_name
    try:
        legal = legal_csv(deposit.staging) if has_legal_csv(report) else None
        put_beside(legal, folder / legal_name(report, file_name=name))
        annotated = _annotated_path(deposit, raw)
        shown = annotated.name if annotated is not None and annotated.is_file() else None
        questions = folder / questionnaire_name(receipt_name(report, file_name=name))
        asked = questionnaire_bytes(report, file_name=name)
        if asked is None:
            questions.unlink(missing_ok=True)
        else:
            place(questions, asked)
        return write_receipt(
            report,
            folder,
            as_of=as_of,
            file_name=name,
            annotated=shown,
            questionnaire=questions.name if asked else None,
        )
    except OSError as error:
        if error.errno not in _CLOSED:
            raise
        return None
