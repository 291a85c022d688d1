"""The analysts' two private pages, in the folder `analystes` of the warehouse: what to decide, and what runs changed.

They are no publication: they name organisations and files. Each is written aside and renamed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import duckdb
import jinja2

from pipelines.warehouse.connection import run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from decimal import Decimal

    from pipelines.warehouse.run_changes import RunChanges

FOLDER = "analystes"
QUEUE, CHANGES = "a-decider.html", "changements.html"
_HERE = ZoneInfo("Europe/Paris")
_HISTORY = "changements.json"
_KEPT = 50  # runs on the page of changes
_SHOWN = 1_000  # rows of a table
KINDS = {
    "hold": "Dépôts retenus",
    "question": "Fichiers qui posent une question",
    "link": "Rapprochements d'organismes",
    "line": "Aides peut-être dites deux fois",
    "version": "Versions qui diffèrent",
    "status": "Statuts inconnus",
    "idle": "Décisions sans effet",
}


class NoDatabaseError(RuntimeError):
    """There is no analysts' database that can be read yet."""


@dataclass(frozen=True)
class Pending:
    """One thing to decide. `amount` in euros, None when it cannot be told; `answer`: what to write in `answer_in`."""

    kind: str
    place: str
    question: str
    answer_in: str
    answer: str
    amount: Decimal | None
    n_lines: int


@dataclass(frozen=True)
class _Section:
    title: str
    texts: tuple[str, ...] = ()
    caption: str = ""
    columns: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def pending(funding: Path) -> list[Pending]:
    """What waits for a decision, most euros first. Raises `NoDatabaseError`."""
    try:
        with duckdb.connect(str(funding), read_only=True) as connection:
            rows = run(connection, "SELECT kind, place, question, answer_in, answer, amount, n_lines FROM review_queue")
    except duckdb.Error as error:
        raise NoDatabaseError(
            f"La base « {funding} » n'est pas là, ou d'une version antérieure : lancez d'abord `qfq run`."
        ) from error
    return [Pending(*row) for row in rows]


def euros(value: Decimal | str | None) -> str:
    """`1234.5` → `1 234,50 €`, exact; a dash when it is not known."""
    if value is None:
        return "–"
    whole, _, cents = f"{value}".partition(".")
    sign, digits = ("−", whole[1:]) if whole.startswith("-") else ("", whole)
    return f"{sign}{int(digits):,}".replace(",", "\u202f") + f",{cents.ljust(2, '0')}\u00a0€"


def write_queue(items: Sequence[Pending], warehouse: Path, *, as_of: date) -> Path:
    """Write the page of what waits, one section a kind, and return its path."""
    sections = []
    for kind, title in KINDS.items():
        own = [item for item in items if item.kind == kind]
        if own:
            sections.append(
                _Section(
                    f"{title} ({len(own)})",
                    () if len(own) <= _SHOWN else (f"Les {_SHOWN} premiers ; tous sont dans la table review_queue.",),
                    "Les montants les plus élevés d'abord",
                    ("Montant", "Lignes", "Quoi", "Question", "Où répondre", "Que répondre"),
                    ("Montant", "Lignes"),
                    tuple(
                        (euros(i.amount), str(i.n_lines or "–"), i.place, i.question, i.answer_in, i.answer)
                        for i in own[:_SHOWN]
                    ),
                )
            )
    lead = f"Au {as_of:%d/%m/%Y}, {len(items)} décisions attendent." if len(items) > 1 else (
        f"Au {as_of:%d/%m/%Y}, une décision attend." if items else f"Au {as_of:%d/%m/%Y}, rien n'attend."
    )  # fmt: skip
    lead += " Ce qui est répondu est lu au passage suivant."
    return _write(warehouse, QUEUE, "À décider", lead, sections)


def write_changes(changes: RunChanges, warehouse: Path, *, at: datetime) -> Path:
    """Add what a run changed to the page of changes, the latest first, and return its path.

    A run that changed nothing adds nothing.
    """
    folder = warehouse / FOLDER
    history = _history(folder / _HISTORY)
    if not changes.is_empty:
        history = [{"at": at.isoformat(timespec="seconds"), **changes.as_record()}, *history][:_KEPT]
        folder.mkdir(parents=True, exist_ok=True)
        _replace(folder / _HISTORY, json.dumps(history, ensure_ascii=False, indent=1))
    sections = [section for record in history for section in _told(record)]
    lead = "Ce que chaque passage a changé dans la base des analystes, le plus récent d'abord."
    return _write(warehouse, CHANGES, "Changements de chaque passage", lead, sections)


def _history(path: Path) -> list[dict[str, Any]]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return []
    return found if isinstance(found, list) else []


def _told(record: dict[str, Any]) -> list[_Section]:
    when = datetime.fromisoformat(record["at"]).astimezone(_HERE).strftime("%d/%m/%Y à %H h %M")
    if record["is_first"]:
        return [_Section(f"Passage du {when}", ("Première base, ou base d'une autre version : rien à comparer.",))]
    came = [path for path, is_new in record["files"] if is_new]
    went = [path for path, is_new in record["files"] if not is_new]
    tables = [
        f"{name} ({'–' if before is None else before} → {'–' if after is None else after})"
        for name, before, after in record["tables"]
    ]
    texts = [
        f"{title} : {', '.join(items)}."
        for title, items in (("Fichiers arrivés", came), ("Fichiers partis", went), ("Tables, en lignes", tables))
        if items
    ]
    rows = tuple(
        (
            str(f["funder_name"] or f["funder_id"]), f"{f['stage']}, {f['currency']}", str(f["n_added"]),
            str(f["n_removed"]), str(f["n_changed"]), _amount(f["amount_before"], f["currency"]),
            _amount(f["amount_after"], f["currency"]),
        )
        for f in record["funders"][:_SHOWN]
    )  # fmt: skip
    columns = ("Financeur", "Étape, monnaie", "Ajoutées", "Retirées", "Modifiées", "Montant avant", "Montant après")
    return [_Section(f"Passage du {when}", tuple(texts), "Lignes comptées, par financeur", columns, columns[2:], rows)]


def _amount(value: str, currency: str) -> str:
    return euros(value) if currency == "EUR" else euros(value).replace("€", str(currency))


@cache
def _template() -> jinja2.Template:
    path = Path(__file__).with_name("analysts.html.j2")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.globals["zip"] = zip
    return environment.from_string(path.read_text(encoding="utf-8"))


def _write(warehouse: Path, name: str, title: str, lead: str, sections: Sequence[_Section]) -> Path:
    path = warehouse / FOLDER / name
    path.parent.mkdir(parents=True, exist_ok=True)
    _replace(path, _template().render(title=title, lead=lead, sections=sections))
    return path


def _replace(path: Path, text: str) -> None:
    aside = path.with_suffix(".tmp")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)
