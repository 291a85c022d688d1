"""Everything that `feeds.toml` declares, one resource after the other: one that fails stops no other."""

from __future__ import annotations

import fcntl
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from pipelines.feeds.addresses import shown
from pipelines.feeds.catalogue import listed
from pipelines.feeds.download import download
from pipelines.feeds.memory import Memory
from pipelines.feeds.place import check_free, is_ours, place
from pipelines.feeds.refused import RefusedError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from schemas.feeds import Feeds, Limits, Resource

FOLDER = "feeds"
_BETWEEN = 0.5  # seconds between two files, so that no server is pressed
State = Literal["new", "changed", "unchanged", "refused"]


@dataclass(frozen=True)
class Outcome:
    """What became of one resource or catalogue. `why` is told (French) when it was refused.

    `url` is without its query. `size` in bytes, `seconds` from the first request to the last byte put in place.
    """

    place: str
    url: str
    state: State
    why: str | None = None
    size: int = 0
    attempts: int = 0
    seconds: float = 0.0
    sha256: str | None = None


@dataclass
class Fetched:
    """What one fetch gave."""

    outcomes: list[Outcome] = field(default_factory=list)

    def of(self, *states: State) -> list[Outcome]:
        """The outcomes in these states."""
        return [outcome for outcome in self.outcomes if outcome.state in states]


def fetch(
    feeds: Feeds,
    *,
    raw: Path,
    warehouse: Path,
    publishers: Collection[str] = (),
    progress: Callable[[str, int, int], None] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Fetched:
    """Bring every declared resource up to date under `raw`; `warehouse/feeds` keeps what is remembered of them.

    Only those of `publishers` when any are named.

    Two fetches never run at once: the second waits. Raises nothing of the network: every failure is an `Outcome`.
    """
    done = Fetched()
    with _alone(warehouse / FOLDER):
        resources = [r for r in _all(feeds, done, sleep) if not publishers or r.publisher in publishers]
        for rank, resource in enumerate(resources, start=1):
            if progress is not None:
                progress(resource.place, rank, len(resources))
            if rank > 1:
                sleep(_BETWEEN)
            done.outcomes.append(_one(resource, feeds.limits, raw, warehouse / FOLDER, sleep))
    return done


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _all(feeds: Feeds, done: Fetched, sleep: Callable[[float], None]) -> list[Resource]:
    """The resources listed by name, then those of the catalogues; the first of a place is the one fetched."""
    found = {resource.place: resource for resource in feeds.resources}
    for catalogue in feeds.catalogues:
        where = f"catalogue {catalogue.schema_name}"
        try:
            resources, refused = listed(catalogue, limits=feeds.limits, sleep=sleep)
        except (RefusedError, UnreachableError) as error:
            done.outcomes.append(Outcome(where, shown(catalogue.url), "refused", str(error)))
            continue
        for name, why in refused.items():
            done.outcomes.append(Outcome(name, shown(catalogue.url), "refused", why))
        for resource in resources:
            found.setdefault(resource.place, resource)
    return list(found.values())


def _one(resource: Resource, limits: Limits, raw: Path, folder: Path, sleep: Callable[[float], None]) -> Outcome:
    memory, url, began = Memory(folder, resource.place), shown(resource.url), time.monotonic()
    target = raw / resource.place
    is_former = target.is_file()
    try:
        check_free(resource, memory, raw)
        got = download(resource, memory, limits=limits, is_in_place=is_ours(target, memory), sleep=sleep)
        is_changed = got.sha256 is not None and place(resource, memory, raw, got.sha256)
    except (RefusedError, UnreachableError) as error:
        return Outcome(resource.place, url, "refused", str(error), seconds=time.monotonic() - began)
    if got.is_new:
        memory.drop_part()
        now = datetime.now(UTC).replace(microsecond=0).isoformat()
        memory.keep(etag=got.etag, last_modified=got.last_modified, fetched_at=now)
    state: State = ("changed" if is_former else "new") if is_changed else "unchanged"
    seconds = time.monotonic() - began
    return Outcome(resource.place, url, state, None, got.size, got.attempts, seconds, got.sha256)
