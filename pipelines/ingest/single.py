"""One file or one deposit at a time, from a terminal: check a path, release what is held."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipelines.ingest.check import check_file
from pipelines.ingest.deposit import deposit_id
from pipelines.ingest.ledger import Ledger
from pipelines.ingest.normalise import Origin
from schemas.funder import FILE_NAME, FunderFile, FunderFileError, load_funder_file

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.ingest.report import Report


def check_path(file: Path, *, raw: Path, funder: str | None = None) -> Report:
    """The report of one file; nothing is loaded.

    The folder's name stands for the funder, and its funder.toml is read, only under an inbox: `raw`, or any folder of
    that name. Raises `OSError` when the file cannot be read.
    """
    content = file.read_bytes()
    depositor, declared, problem = "", FunderFile(), None
    folder = _depositor_folder(file.resolve(), raw.resolve())
    if folder is not None:
        depositor = folder.name
        try:
            declared = load_funder_file(folder / FILE_NAME)
        except FunderFileError as error:
            problem = f"{error} Les déclarations de ce fichier sont ignorées."
    origin = Origin(deposit_id(depositor, file.name), depositor, file.name, declared, funder_name=funder)
    report = check_file(content, origin).report
    if problem is not None:
        report.messages.insert(0, problem)
    return report


def _depositor_folder(file: Path, inbox: Path) -> Path | None:
    """The depositor's folder that `file` lies in: below `inbox`, or below a folder named `raw`."""
    for folder in file.parents:
        if folder.parent == inbox or folder.parent.name == "raw":
            return folder
    return None


def release_deposit(wanted: str, *, warehouse: Path) -> str | None:
    """Let a held deposit through; returns its file's name, or None when no single deposit answers to `wanted`.

    `wanted` is the deposit's identity, or the beginning (eight digits at least) of its sha256.
    """
    if not (warehouse / "ledger.sqlite").is_file():
        return None
    with Ledger(warehouse / "ledger.sqlite") as ledger:
        found = [
            row
            for row in ledger.deposits().values()
            if row["deposit_id"] == wanted or (len(wanted) >= 8 and row["sha256"].startswith(wanted.lower()))
        ]
        if len(found) != 1:
            return None
        ledger.release(found[0]["deposit_id"], how="qfq release", now=datetime.now(UTC).replace(microsecond=0))
        return str(found[0]["file_name"])
