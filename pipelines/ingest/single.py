"""One file at a time, from a terminal: what would be said of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.ingest.check import check_file
from pipelines.ingest.declarations import declared_in
from pipelines.ingest.deposit import deposit_id
from pipelines.ingest.normalise import Origin
from schemas.funder import FunderFile

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
        declared, problem = declared_in(folder)
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
