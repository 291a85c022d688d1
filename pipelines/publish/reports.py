"""What a report is, and how reports are found: every module of `pages/` declares one as `REPORT`."""

from __future__ import annotations

import hashlib
import importlib
import pkgutil
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


@dataclass(frozen=True)
class Kept:
    """One file that the former publication left and that this one would write again: its path, sha256 and size."""

    path: str
    digest: str
    size: int


@dataclass(frozen=True)
class Report:
    """One report: its name, what people call it, what it reads and how its files are built.

    `page` is its first page. A report with a `menu` word is in the navigation, at the place `order` gives it. One that
    `is_long` to write (a page for each of many) is begun before the others.
    """

    name: str
    title: str
    description: str
    page: str
    tables: tuple[str, ...]
    build: Callable[[Context], Iterator[Output | Kept]]
    order: int = 100
    menu: str | None = None
    is_long: bool = False


def reports() -> list[Report]:
    """Every report, in the order of the navigation. Raises `AttributeError` for a page module without `REPORT`."""
    from pipelines.publish import pages

    found = [
        importlib.import_module(f"{pages.__name__}.{module.name}").REPORT
        for module in pkgutil.iter_modules(pages.__path__)
    ]
    return sorted(found, key=lambda report: (report.order, report.name))
