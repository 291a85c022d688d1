"""A project that fetches from a server of this machine, whatever proxy the machine itself has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.feeds import fetch
from pipelines.ingest.deposit import look
from schemas.feeds import Catalogue, Feeds, Limits, Resource

if TYPE_CHECKING:
    from pathlib import Path

    from tests.feed_server import Misbehaving

LOOPBACK = ("127.0.0.1/32",)


class Project:
    """A project, a server, and the waits that were asked for instead of waited."""

    def __init__(self, root: Path, server: Misbehaving) -> None:
        self.raw, self.warehouse, self.server = root / "raw", root / "warehouse", server
        self.waits: list[float] = []
        self.limits: dict[str, object] = {
            "bytes": 2_000_000, "seconds": 20, "silence": 5, "attempts": 3, "first_wait": 2, "redirects": 4, "pages": 5,
            "permitted_networks": LOOPBACK,
        }  # fmt: skip

    def fetch(self, *resources: Resource, catalogues: tuple[Catalogue, ...] = ()) -> list[fetch.Outcome]:
        feeds = Feeds(limits=Limits.model_validate(self.limits), resources=resources, catalogues=catalogues)
        return fetch.fetch(feeds, raw=self.raw, warehouse=self.warehouse, sleep=self.waits.append).outcomes

    def one(self, path: str = "/a.csv", file: str = "a.csv", **more: str) -> fetch.Outcome:
        [outcome] = self.fetch(Resource(publisher="ville", file=file, url=self.server.url + path, **more))
        return outcome

    def file(self, name: str = "a.csv") -> Path:
        return self.raw / "ville" / name

    def nothing_came(self) -> bool:
        return not self.raw.exists() or not look(self.raw)
