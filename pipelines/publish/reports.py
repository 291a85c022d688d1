"""What a report is, and how reports are found: every module of `pages/` declares one as `REPORT`."""

from __future__ import annotations

import hashlib
import importlib
import io
import pkgutil
from dataclasses import dataclass
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pipelines.publish.context import Context


SHARDS = "s/"
"""Where files named by their content are: one that is no longer made stays one publication longer (module `site`)."""


@dataclass(frozen=True)
class Output:
    """One file of the site: its path from the site's root, and its bytes."""

    path: str
    content: bytes

    @cached_property
    def digest(self) -> str:
        """The sha256 of its bytes."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def size(self) -> int:
        """How many bytes."""
        return len(self.content)

    def into(self, target: Path) -> None:
        """Write the file at `target`."""
        target.write_bytes(self.content)


@dataclass
class Stream:
    """One file that may be too large to be held whole: its path from the site's root, and what writes it.

    `digest` (sha256) and `size` are known once it is written: by who receives it, before it asks for the next one.
    """

    path: str
    write: Callable[[IO[bytes]], None]
    digest: str = ""
    size: int = 0

    def into(self, target: Path) -> None:
        """Write the file at `target`."""
        with target.open("wb") as file:
            counted = _Counted(file)
            self.write(cast("IO[bytes]", counted))
        self.digest, self.size = counted.digest.hexdigest(), counted.size


class _Counted(io.BufferedIOBase):
    """A file to write to, that counts and hashes what goes through it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.digest, self.size = file, hashlib.sha256(), 0

    def write(self, block: Any) -> int:
        self._file.write(block)
        self.digest.update(block)
        written = memoryview(block).nbytes
        self.size += written
        return written

    def tell(self) -> int:
        return self.size

    def writable(self) -> bool:
        return True


@dataclass(frozen=True)
class Kept:
    """One file that the former publication left and that this one would write again: its path, sha256 and size."""

    path: str
    digest: str
    size: int


File = Output | Stream | Kept


@dataclass(frozen=True)
class Report:
    """One report: its name, what people call it, what it reads and how its files are built.

    `page` is its first page. A report with a `menu` word is in the navigation, at the place `order` gives it. The
    longer one is to write, the sooner it is begun: `length` ranks those that have a page or a file for each of many.
    """

    name: str
    title: str
    description: str
    page: str
    tables: tuple[str, ...]
    build: Callable[[Context], Iterator[File]]
    order: int = 100
    menu: str | None = None
    length: int = 0

    @property
    def is_long(self) -> bool:
        """Whether others would wait for it."""
        return self.length > 0


def reports() -> list[Report]:
    """Every report, in the order of the navigation. Raises `AttributeError` for a page module without `REPORT`."""
    from pipelines.publish import pages

    found = [
        importlib.import_module(f"{pages.__name__}.{module.name}").REPORT
        for module in pkgutil.iter_modules(pages.__path__)
    ]
    return sorted(found, key=lambda report: (report.order, report.name))
