"""Checked lines → immutable Parquet, one folder for each recipe: content, depositor, declarations and code.

A changed recipe has another key and stages anew; the same recipe is never done twice; nothing is ever stale.
"""

from __future__ import annotations

import filecmp
import hashlib
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

import schemas
from pipelines.ingest.check import check_file
from pipelines.ingest.conformity import CSV_FIELDS, write_clean_csv
from pipelines.ingest.report import Report
from pipelines.ingest.seal import seal
from pipelines.ingest.staged import ACCEPTED, filled_columns, scan_accepted
from schemas.contracts import staged_name
from schemas.decisions import LINES, ORGANISATIONS
from schemas.format import load_formats
from schemas.source import source_hash

if TYPE_CHECKING:
    from pipelines.ingest.normalise import Origin
    from pipelines.ingest.outcome import Outcome

_HERE = Path(__file__).parent
_REPORT = "report.json"
_PUBLISHABLE = "publishable.parquet"
_LEGAL_CSV = "scdl.csv"
_AFTER_READING = frozenset({"themes.toml", "feeds.toml", ORGANISATIONS.name, LINES.name})
_LEVEL = 1
"""Of zstd: on typed columns the highest levels win nothing in size over the quickest."""


@cache
def recipe_version() -> str:
    """A hash of what turns bytes into lines: the contracts, formats and codelists, and the code of ingestion.

    The rule of themes is the warehouse's, feeds come before reading, decisions after it: they stage nothing again.
    """
    return source_hash(Path(schemas.__file__).parent, _HERE, suffixes={".py", ".toml", ".csv"}, apart=_AFTER_READING)


def recipe_key(sha256: str, origin: Origin) -> str:
    """The name of the staging folder for this content under these declarations: thirty-two hexadecimal digits."""
    told = "\0".join(
        (
            recipe_version(),
            sha256,
            origin.depositor,
            origin.file_name,
            origin.funder_name or "",
            origin.funder_file.model_dump_json(),
        )
    )
    return hashlib.sha256(told.encode()).hexdigest()[:32]


def get_ready() -> None:
    """What a process does once, before its first file: what it needs is imported, and the formats are read."""
    load_formats()


def stage(content: Path, origin: Origin, folder: Path) -> Report:
    """Check the deposit at `content` and write `accepted`, `rejected` and `issues` Parquet and its report to `folder`.

    The lines of each other contract that the file holds are in a Parquet of their own (`decision_counts`, ...).

    Written aside and renamed: a folder that exists is whole. When it exists already, its report is read back.
    """
    if folder.is_dir():
        return read_report(folder)
    outcome = check_file(content.read_bytes(), origin)
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix="."))
    try:
        _write_tables(outcome, aside)
        outcome.report.save(aside / _REPORT)
        seal(aside)
        _put(aside, folder)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    return outcome.report


def _put(aside: Path, folder: Path) -> None:
    """Give `aside` its name. When another process staged the same recipe meanwhile, what it wrote is kept."""
    try:
        aside.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise
        shutil.rmtree(aside)


def _write_tables(outcome: Outcome, folder: Path) -> None:
    tables = {
        "rejected": outcome.rejected,
        "issues": outcome.issues.rename({"column": "column_letter"}),
        **{staged_name(contract): lines for contract, lines in outcome.others.items()},
    }
    for name, table in tables.items():
        table.write_parquet(folder / f"{name}.parquet", compression="zstd", compression_level=_LEVEL)
    outcome.publishable.rename("is_publishable").to_frame().write_parquet(folder / _PUBLISHABLE)
    accepted = filled_columns(outcome.lines)
    accepted.sink_parquet(folder / ACCEPTED, compression="zstd", compression_level=_LEVEL, engine="streaming")


def legal_csv(folder: Path) -> Path:
    """The awards of a staging folder that can be published, in the legal format; written at the first call."""
    target = folder / _LEGAL_CSV
    if not target.is_file():
        aside = folder / f".{_LEGAL_CSV}"
        with aside.open("wb") as file:
            accepted = scan_accepted(folder).select(CSV_FIELDS).collect()
            write_clean_csv(accepted, pl.read_parquet(folder / _PUBLISHABLE)["is_publishable"], file)
        aside.replace(target)
    return target


def put_beside(source: Path | None, target: Path) -> None:
    """Make `target` a copy of `source`, whole or not at all; an equal one is left untouched. None takes it away.

    Raises `OSError` when the folder cannot be written.
    """
    if source is None:
        target.unlink(missing_ok=True)
        return
    if target.is_file() and filecmp.cmp(source, target, shallow=False):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        shutil.copyfile(source, aside)
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)


def sweep(*folders: Path) -> None:
    """Remove what a killed run left half done in these folders: names that start with a dot."""
    for folder in folders:
        for path in folder.glob(".*") if folder.is_dir() else ():
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def read_report(folder: Path) -> Report:
    """The report of a staging folder."""
    return Report.load(folder / _REPORT)
