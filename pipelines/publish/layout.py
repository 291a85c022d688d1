"""The blocks a page is made of, whatever the report: key figures, sections, links."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.publish.figure import Figure
    from pipelines.publish.tables import Table


@dataclass(frozen=True)
class KeyFigure:
    """One number of a page's head: what it is, the number, what it rests on, and the page that explains it."""

    label: str
    value: str
    detail: str = ""
    href: str | None = None


@dataclass(frozen=True)
class Link:
    """A link to a page or file of the site, from its root."""

    text: str
    href: str


@dataclass(frozen=True)
class Section:
    """One part of a page, with its anchor: words first, then figures, tables and links to more."""

    id: str
    title: str
    paragraphs: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    links: tuple[Link, ...] = ()


def figures_of(sections: list[Section]) -> list[Figure]:
    """Every figure of `sections`, in order."""
    return [figure for section in sections for figure in section.figures]
