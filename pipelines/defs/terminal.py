"""`qfq run` and `qfq fetch`: jobs executed in process, with a progress bar and what came of them."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import dagster as dg
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table
from sqlalchemy.exc import SQLAlchemyError

from pipelines.defs.definitions import definitions
from pipelines.defs.home import dagster_home, environment, events_kept_open
from pipelines.defs.places import Places
from pipelines.defs.progress import Progress
from pipelines.defs.triggers import feeds_job, main_job
from pipelines.defs.turn import TAGS, close_interrupted, turn
from pipelines.ingest.deposit import InboxError
from pipelines.ingest.restaging import cost, told_plainly
from pipelines.terminal import STATUS_WORDS

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
"""The terminal shows the bar and the closing table; Dagster's own page keeps every event."""
_ROOM = 1 << 20
"""Bytes: a disk with less is full, since SQLite needs some to write one line."""
_REASONS = {"replaced": "remplacé", "restated": "autre version comptée", "held": "en attente de confirmation"}


class _BarProgress(Progress):
    """The run's progress on a terminal's bar."""

    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self._task = bar.add_task("Démarrage", total=None)

    def file(self, path: str, rank: int, count: int) -> None:
        self._bar.update(self._task, description=escape(path[-50:]), completed=rank, total=count)

    def stage(self, title: str) -> None:
        self._bar.update(self._task, description=title, completed=0, total=None)


def run_main_job(*, raw: Path, warehouse: Path, reports: Path, as_of: date) -> int:
    """Execute everything; returns 0 when the pages are published, 1 when a blocking check or a step failed.

    A disk that is full or cannot be written is such a failure, wherever it shows: what was published stays.
    """
    console = Console()
    try:
        return _run(console, raw=raw, warehouse=warehouse, reports=reports, as_of=as_of)
    except (OSError, SQLAlchemyError, sqlite3.Error) as error:  # outside of the steps: Dagster's own folder
        console.print(f"[red]Échec[/] : {escape(_explained(str(error), warehouse))}")
        return 1


def _run(console: Console, *, raw: Path, warehouse: Path, reports: Path, as_of: date) -> int:
    os.environ.update(environment(raw=raw, warehouse=warehouse, reports=reports))
    places = Places(raw=str(raw), warehouse=str(warehouse), reports=str(reports), as_of=as_of.isoformat())
    console.print(f"Qui finance quoi, au {as_of.isoformat()}")
    with suppress(InboxError):  # the run itself says what is wrong with the inbox
        expected = cost(raw, warehouse)
        if expected.n_again:
            console.print(f"À lire : {told_plainly(expected)}")
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    home, run_id = dagster_home(warehouse), str(uuid.uuid4())
    with (
        turn(home, waits=lambda: console.print("Un autre passage est en cours : attente de sa fin.")),
        dg.DagsterInstance.get() as instance,
        Bar(*columns, console=console, transient=True) as bar,
    ):
        close_interrupted(instance)
        job = definitions(places=places, progress=_BarProgress(bar)).resolve_job_def(main_job.name)
        with events_kept_open(home, instance, run_id):
            result = job.execute_in_process(
                instance=instance, run_config=_QUIET, raise_on_error=False, tags=TAGS, run_id=run_id
            )
    _close(result, warehouse, console)
    if not result.success:
        for failure in _failures(result, warehouse):
            console.print(f"[red]Échec[/] : {escape(failure)}")
        return 1
    console.print(f"Pages : [bold]{reports.resolve() / 'index.html'}[/]  (ou `make serve`)")
    return 0


def run_feeds(publishers: list[str], *, raw: Path, warehouse: Path, reports: Path, feeds: Path | None) -> int:
    """Receive the declared open data; returns 0 when everything is up to date, 1 when something was not received."""
    console = Console()
    os.environ.update(environment(raw=raw, warehouse=warehouse, reports=reports))
    folders = {"raw": str(raw), "warehouse": str(warehouse), "reports": str(reports)}
    places = Places(**folders, feeds=str(feeds or ""))
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    config = {**_QUIET, "ops": {"feeds": {"config": {"publishers": publishers}}}}
    with dg.DagsterInstance.get() as instance, Bar(*columns, console=console, transient=True) as bar:
        job = definitions(places=places, progress=_BarProgress(bar)).resolve_job_def(feeds_job.name)
        result = job.execute_in_process(instance=instance, run_config=config, raise_on_error=False)
    for failure in _failures(result, warehouse):
        console.print(f"[red]Échec[/] : {escape(failure)}")
    for event in result.get_asset_materialization_events():
        told = event.materialization.metadata
        names = ("ressources", "nouvelles ou changées", "inchangées", "non reçues")
        console.print(" ; ".join(f"{name} : {told[name].value}" for name in names))
    evaluations = result.get_asset_check_evaluations()
    for evaluation in evaluations:
        listed = evaluation.metadata["non reçues"]
        for record in listed.records if isinstance(listed, dg.TableMetadataValue) else ():
            place, why = record.data["ressource"], record.data["pourquoi et que faire"]
            console.print(f"[yellow]Non reçu[/] : {escape(str(place))}. {escape(str(why))}")
    return 0 if result.success and all(evaluation.passed for evaluation in evaluations) else 1


def _close(result: dg.ExecuteInProcessResult, warehouse: Path, console: Console) -> None:
    try:
        current: dict[str, Any] = json.loads((warehouse / "current.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):  # the inbox was not read to its end: the failure says why
        return
    table = Table("Dépositaire", "Fichiers", "Lignes lues", "Acceptées", "Écartées", "Ignorées", title="Dépôts")
    by_depositor: dict[str, list[dict[str, Any]]] = {}
    for deposit in current["deposits"]:
        by_depositor.setdefault(deposit["depositor"] or "(racine)", []).append(deposit)
    for depositor, deposits in sorted(by_depositor.items()):
        sums = [sum(d[f"rows_{name}"] for d in deposits) for name in ("read", "accepted", "rejected", "ignored")]
        table.add_row(escape(depositor), str(len(deposits)), *map(str, sums))
    console.print(table)
    for deposit in current["deposits"]:
        if deposit["status"] != "accepted":
            word, why = STATUS_WORDS[deposit["status"]], escape(deposit["message"] or "")
            console.print(f"{escape(deposit['relative_path'])} : {word}. {why}")
    _tell_versions(current, console)
    if removed := current.get("removed_copies"):
        console.print(f"Copies privées retirées, leur durée de conservation étant passée : {removed}")
    for evaluation in result.get_asset_check_evaluations():
        if not evaluation.passed and evaluation.severity == dg.AssetCheckSeverity.ERROR:
            console.print(f"[red]Contrôle bloquant[/] : {escape(evaluation.check_name)}")


def _tell_versions(current: dict[str, Any], console: Console) -> None:
    names = {deposit["deposit_id"]: deposit["file_name"] for deposit in current["deposits"]}
    told: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for version in current["versions"]:
        if version["reason"] in _REASONS:
            key = (version["deposit_id"], version["other_deposit_id"], version["reason"])
            told.setdefault(key, []).append(version)
    for (deposit, other, reason), versions in told.items():
        years = ", ".join(str(version["fiscal_year"]) for version in versions)
        shared = sum(version["lines_matched"] for version in versions)
        name, instead = escape(names[deposit]), escape(names[other])
        console.print(f"« {name} », {years} : {_REASONS[reason]} (« {instead} » ; lignes communes : {shared})")


def _failures(result: dg.ExecuteInProcessResult, warehouse: Path) -> list[str]:
    found = []
    for event in result.all_events:
        if event.is_step_failure and event.step_failure_data.error is not None:
            error = event.step_failure_data.error
            message = (error.cause or error).message.strip().partition(": ")[2] or error.message.strip()
            found.append(_explained(message, warehouse))
    return found


def _explained(message: str, warehouse: Path) -> str:
    """What to do about an answer of the system, in French, before the answer itself; other messages as they are.

    SQLite calls a full disk an I/O error where it cannot make its journal: the room left tells one from the other.
    """
    told = message.casefold()
    is_broken = "disk i/o error" in told
    is_full = any(words in told for words in ("no space left", "disk is full", "quota exceeded", "file too large"))
    if is_full or (is_broken and shutil.disk_usage(warehouse).free < _ROOM):
        return (
            "Le disque est plein. Ce qui était publié est resté en place ; faites de la place, puis relancez "
            f"`qfq run`. ({message})"
        )
    if any(words in told for words in ("read-only", "readonly", "permission denied", "unable to open database")):
        return f"Un dossier ne peut pas être écrit : rétablissez ses droits, puis relancez `qfq run`. ({message})"
    if is_broken:
        return f"Le disque ou le partage ne répond pas : vérifiez-le, puis relancez `qfq run`. ({message})"
    return message
