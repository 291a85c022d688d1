"""Let through what a guard holds, by its identifier: from a terminal, or from the launch form of a run.

The third way, a file `CONFIRMER-….txt` beside the deposit, is read with the inbox.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipelines.ingest.ledger import Ledger
from pipelines.ingest.manifest import NAME

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_SHORTEST = 8  # digits of a sha256 that are enough to name a deposit


class NotWaitingError(ValueError):
    """No deposit that waits for a confirmation answers to that name; the French message lists those that do."""


@dataclass(frozen=True)
class Waiting:
    """A deposit that a guard holds; `awaits` says what letting it through would do (French infinitive)."""

    deposit_id: str
    sha256: str
    path: str
    awaits: str

    def answers_to(self, name: str) -> bool:
        """Whether `name` is its identifier, or the beginning of its sha256."""
        return name.lower() == self.deposit_id or (len(name) >= _SHORTEST and self.sha256.startswith(name.lower()))


def waiting(warehouse: Path) -> list[Waiting]:
    """The deposits that waited for a confirmation at the end of the last pass, sorted by path."""
    try:
        deposits = json.loads((warehouse / NAME).read_text(encoding="utf-8"))["deposits"]
    except (FileNotFoundError, ValueError, KeyError):  # none yet, or one that the next pass over the inbox writes again
        return []
    found = [
        Waiting(row["deposit_id"], row["sha256"], row["relative_path"], row["awaits"])
        for row in deposits
        if row.get("awaits")
    ]
    return sorted(found, key=lambda held: (held.path, held.deposit_id))


def release(wanted: Iterable[str], *, warehouse: Path, how: str) -> list[Waiting]:
    """Let through, for good, the waiting deposits named by `wanted`; `how` is kept in the ledger.

    All or none: raises `NotWaitingError` when one name answers to no waiting deposit, or to several.
    """
    held = waiting(warehouse)
    found: list[Waiting] = []
    for name in dict.fromkeys(text.strip() for text in wanted):
        named = [one for one in held if one.answers_to(name)]
        if len(named) != 1:
            raise NotWaitingError(_refusal(name, named or held, several=bool(named)))
        found += named
    if found:
        now = datetime.now(UTC).replace(microsecond=0)
        with Ledger(warehouse / "ledger.sqlite") as ledger:
            for one in found:
                ledger.release(one.deposit_id, how=how, now=now)
    return found


def _refusal(name: str, held: list[Waiting], *, several: bool) -> str:
    if not held:
        return f"Aucun dépôt ne peut être libéré sous le nom « {name} » : aucun n'attend de confirmation."
    listed = " ; ".join(f"{one.deposit_id} ({one.path}, pour {one.awaits})" for one in held)
    whose = "Plusieurs dépôts en attente répondent" if several else "Aucun dépôt en attente ne répond"
    return f"{whose} à « {name} ». Dépôts en attente : {listed}."
