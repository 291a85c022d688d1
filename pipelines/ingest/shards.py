"""Shards of unread deposits: cut, read one by one wherever that is, and proof that nothing planned was lost on the way.

Only reading is spread over machines: a deposit's bytes give immutable Parquet under a name that says from what and by
which code. Taking files, versions and receipts stay with the ordinary pass, which then finds everything read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.ingest import french
from pipelines.ingest.deposit import holds
from pipelines.ingest.seal import is_whole
from pipelines.ingest.stage import recipe_key, stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from pipelines.ingest.inbox import Unread


class ShardError(RuntimeError):
    """A shard that cannot be read where it was sent, or planned work that is not there; the message is French."""


@dataclass(frozen=True)
class Shard:
    """Some deposits that one step reads, one after the other. `number` counts from 1."""

    number: int
    deposits: tuple[Unread, ...]


@dataclass(frozen=True)
class Part:
    """What reading a shard gave: the names of its staging folders."""

    number: int
    keys: tuple[str, ...]


def cut(unread: Iterable[Unread], *, most_bytes: int, most_files: int) -> list[Shard]:
    """Shards of at most `most_files` deposits and `most_bytes` bytes, the largest deposits first.

    A deposit larger than `most_bytes` is a shard by itself. The same deposits give the same shards.
    """
    groups: list[list[Unread]] = []
    weight = 0
    for one in sorted(unread, key=lambda one: (-one.size, one.key)):
        if not groups or weight + one.size > most_bytes or len(groups[-1]) >= most_files:
            groups.append([])
            weight = 0
        groups[-1].append(one)
        weight += one.size
    return [Shard(number, tuple(group)) for number, group in enumerate(groups, start=1)]


def read_shard(shard: Shard, warehouse: Path) -> Part:
    """Stage the deposits of a shard in `warehouse`, which all machines share.

    Raises `ShardError` when this machine's code is not the planner's, or does not see the bytes that it copied.
    """
    for one in shard.deposits:
        if recipe_key(one.sha256, one.origin) != one.key:
            raise ShardError(
                "Cette machine n'a pas le même code, les mêmes formats ou les mêmes nomenclatures que celle qui a "
                "préparé les lots : rien n'y a été lu. Installez partout la même version du projet, puis relancez le "
                "travail."
            )
        content = warehouse / "deposits" / one.sha256
        if not holds(content, one.sha256):
            raise ShardError(
                f"La copie « {one.sha256[:8]} » du fichier « {one.origin.file_name} » n'est pas lisible d'ici, ou a "
                "changé. Vérifiez que toutes les machines voient le même dossier d'entrepôt (QFQ_WAREHOUSE)."
            )
        stage(content, one.origin, warehouse / "staging" / one.key)
    return Part(shard.number, tuple(one.key for one in shard.deposits))


def gather(planned: Sequence[Shard], parts: Sequence[Part], warehouse: Path) -> int:
    """How many deposits were read, once every part planned was collected, once, and all of it stands whole.

    Raises `ShardError` that says what is missing. Executors have been seen to end a run in success with nothing done.
    """
    wanted = {shard.number: tuple(one.key for one in shard.deposits) for shard in planned}
    collected = sorted(parts, key=lambda part: part.number)
    if [part.number for part in collected] != sorted(wanted) or any(wanted[p.number] != p.keys for p in collected):
        raise ShardError(
            f"Lots prévus : {len(wanted)} ; lots rassemblés : {len(collected)}. Ce ne sont pas les mêmes : l'exécuteur "
            "a perdu ou doublé du travail. Rien n'est perdu : le prochain passage lira ce qui manque."
        )
    names = {one.key: one.origin.file_name for shard in planned for one in shard.deposits}
    stagings = warehouse / "staging"
    missing = sorted(
        name for key, name in names.items() if not ((stagings / key).is_dir() and is_whole(stagings / key))
    )
    if missing:
        raise ShardError(
            f"{french.count(len(missing), 'fichier')} sans lecture entière dans l'entrepôt, à commencer par "
            f"« {missing[0]} » : les machines n'écrivent pas dans le même dossier, ou ce dossier perd ce qu'on y écrit."
        )
    return len(names)
