"""Examines what ingestion keeps: the ledger against the private copies, staging against its seals, the manifest.

Nothing is changed here: `inbox.ingest` repairs what can be, this module says what it would.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from datetime import datetime
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest import manifest, seal
from pipelines.ingest.deposit import holds
from pipelines.ingest.ledger import Ledger, opened_to_read
from pipelines.ingest.stage import read_report
from schemas.health import BY_THE_NEXT_RUN, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LEDGER = "ledger.sqlite"


def examine(raw: Path, warehouse: Path) -> Iterator[Finding]:
    """What is amiss in the deposits of `warehouse`, whose files are in `raw`. Reads every copy and every staging."""
    if not (warehouse / _LEDGER).is_file():
        if any((warehouse / "deposits").glob("[0-9a-f]*")):
            yield Finding(
                "registre", _LEDGER, "Le registre manque, alors que des fichiers ont été reçus.",
                "Rétablissez-le depuis une sauvegarde. Sans lui, le prochain passage reçoit tout à nouveau, et oublie "
                "les fichiers retirés et les confirmations.", is_repaired=False,
            )  # fmt: skip
        return
    if (problem := _damage(warehouse / _LEDGER)) is not None:
        yield Finding(
            "registre", _LEDGER, problem, "Rétablissez-le depuis une sauvegarde : lui seul sait ce qui a été reçu.",
            is_repaired=False,
        )  # fmt: skip
        return
    yield from _interrupted(warehouse / _LEDGER)
    yield from _copies(raw, warehouse)
    yield from _stagings(warehouse)
    yield from _manifest(warehouse)


def _damage(ledger: Path) -> str | None:
    try:
        with opened_to_read(ledger) as connection:
            [told] = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        return f"Le registre ne peut pas être lu ({error})."
    return None if told == "ok" else f"Le registre est abîmé ({told})."


def _interrupted(ledger: Path) -> Iterator[Finding]:
    with opened_to_read(ledger) as connection:
        started = connection.execute(
            "SELECT started_at FROM runs WHERE ended_at IS NULL AND outcome IS NULL ORDER BY run_id DESC LIMIT 1"
        ).fetchone()
    if started is not None:
        day = datetime.fromisoformat(started[0]).astimezone()
        yield Finding(
            "registre", _LEDGER, f"Le passage commencé le {day:%d/%m/%Y à %H:%M} est en cours, ou a été interrompu.",
            BY_THE_NEXT_RUN, is_repaired=True,
        )  # fmt: skip


def _copies(raw: Path, warehouse: Path) -> Iterator[Finding]:
    """Each content that was received has its copy, unless it was removed on purpose."""
    with Ledger.copied(warehouse / _LEDGER) as ledger:
        deposits, removed, files = ledger.deposits(), ledger.removals(), ledger.files()
    inbox = {row["deposit_id"]: raw / path for path, row in files.items()}
    for row in deposits.values():
        copy = warehouse / "deposits" / row["sha256"]
        if (row["sha256"] in removed and not copy.exists()) or holds(copy, row["sha256"]):
            continue
        what = "La copie privée a changé." if copy.exists() else "La copie privée manque."
        source = inbox.get(row["deposit_id"])
        is_there = source is not None and holds(source, row["sha256"])
        yield Finding(
            "copies privées",
            row["path"],
            what,
            "Le fichier est encore dans le dossier des dépôts : la copie est refaite dès qu'une lecture en a besoin."
            if is_there
            else "Déposez le fichier à nouveau. Ce qui en a été lu reste compté.",
            is_repaired=is_there,
        )


def _stagings(warehouse: Path) -> Iterator[Finding]:
    """Each staging folder is whole, and its tables have the lines that its report counts."""
    part, folder = "lectures", warehouse / "staging"
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.name.startswith("."):
            yield Finding(part, path.name, "Reste d'un passage interrompu.", "Le prochain passage l'efface.", True)
        elif not seal.is_whole(path):
            yield Finding(part, path.name, "Un fichier a changé ou manque.", BY_THE_NEXT_RUN, is_repaired=True)
        elif not _adds_up(path):
            yield Finding(
                part, path.name, "Le récapitulatif ne compte pas les mêmes lignes.",
                "Effacez ce dossier : le prochain passage relit le fichier.", is_repaired=False,
            )  # fmt: skip


def _adds_up(staging: Path) -> bool:
    report = read_report(staging)
    accepted, rejected = (
        pl.scan_parquet(staging / f"{name}.parquet").select(pl.len()).collect().item()
        for name in ("accepted", "rejected")
    )
    others = report.rows_accepted - accepted
    read = report.rows_accepted + report.rows_rejected + report.rows_ignored
    return others >= 0 and report.rows_rejected >= rejected and report.rows_read == read


def _manifest(warehouse: Path) -> Iterator[Finding]:
    """What is current names stagings that are there."""
    path, part = warehouse / manifest.NAME, "liste des dépôts en cours"
    if not path.is_file():
        return
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        named, twins = [str(row["staging"]) for row in told["deposits"]], warehouse / str(told["twins"])
    except (ValueError, KeyError, TypeError):
        yield Finding(part, manifest.NAME, "Le fichier est abîmé.", BY_THE_NEXT_RUN, is_repaired=True)
        return
    if not twins.is_file() or hashlib.sha256(twins.read_bytes()).hexdigest()[:32] != twins.stem:
        place = twins.relative_to(warehouse).as_posix()
        yield Finding(part, place, "Les lignes de deux déposants manquent ou ont changé.", BY_THE_NEXT_RUN, True)
    for name in named:
        if not (warehouse / name).is_dir():
            yield Finding(part, name, "La lecture d'un dépôt en cours manque.", BY_THE_NEXT_RUN, is_repaired=True)
