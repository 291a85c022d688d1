"""The leaf to share: one page that holds in one file and on two sides of paper, for a meeting without a network.

It is made from the figures of the entity's own page, so that the two cannot differ, and keeps of each what a meeting
needs: the sentence, the first lines. Nothing is loaded, nothing runs: the style is inside, no script, no picture.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import TYPE_CHECKING

import pandas as pd

from pipelines.publish import formats, offers, policy
from pipelines.publish.context import HERE, environment, typographic
from pipelines.publish.reports import Output
from pipelines.publish.tables import Column, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pipelines.publish.context import Context
    from pipelines.publish.figure import Figure
    from pipelines.publish.layout import KeyFigure, Section
    from pipelines.publish.tables import Row

MOST_BYTES = 60_000
CONTACTS = 6
LINES = 6
"""Lines of a table at most: the page of the entity has them all."""


@dataclass(frozen=True)
class Block:
    """One part of a leaf: a title, sentences, then the first lines of a table and how many are left out."""

    id: str
    title: str
    words: tuple[str, ...] = ()
    table: Table | None = None
    left_out: int = 0
    bars: tuple[float, ...] = ()
    """The length of each line's bar, between 0 and 1."""


def path_of(href: str) -> str:
    """Where the leaf of an entity is: `territoires/34.html` → `feuilles/territoires/34.html`."""
    return f"feuilles/{href}"


def from_figure(
    figure: Figure, title: str, columns: Sequence[str], *, bar: str | None = None, newest: bool = False
) -> Block:
    """The sentences and the first lines of a figure, `columns` only; `newest`: the last lines, most recent first.

    `bar` names the measure that the lines draw.
    """
    frame = figure.frame.iloc[::-1] if newest else figure.frame
    shown = frame.head(LINES).reset_index(drop=True)
    kept = tuple(replace(column, href=None) for name in columns for column in figure.columns if column.name == name)
    lengths: tuple[float, ...] = ()
    if bar is not None:
        most = float(shown[bar].max()) if shown[bar].notna().any() else 0.0
        lengths = tuple(max(float(value), 0) / most if most > 0 and value == value else 0 for value in shown[bar])
    table = Table(f"{figure.id}-table", figure.subtitle, shown, kept)
    return Block(figure.id, title, (f"{figure.headline}. {figure.summary}",), table, len(frame) - len(shown), lengths)


def said(section: Section, title: str) -> Block:
    """The sentences of a section that has no figure: why nothing can be shown."""
    return Block(section.id, title, section.paragraphs)


def contacts(services: Iterable[Row]) -> Block:
    """Whom to write to: services whose directory states a function or a functional mailbox, most awards first."""
    rows = [
        {"name": f"{formats.sentence(str(row['name']))} ({row['funder_name']})", "contact": contact, **_reviewed(row)}
        for row in sorted(services, key=lambda row: (-row["n_awards"], str(row["name"]), row["service_key"]))
        if (contact := offers.joined(row["contact_function"], row["contact_mailbox"]))
    ]
    if not rows:
        return Block("contacts", "À qui écrire", ("Aucun service n'a encore fait connaître de contact.",))
    columns = (
        Column("name", "Service", "name", header=True),
        Column("contact", "Contact", "name"),
        Column("reviewed", "Relu le", "date", absent="date non indiquée"),
    )
    frame = pd.DataFrame(rows[:CONTACTS])
    table = Table("contacts-table", "Services qui ont un contact", frame, columns)
    return Block("contacts", "À qui écrire", (), table, len(rows) - len(frame))


def _reviewed(row: Row) -> dict[str, object]:
    return {"reviewed": None if formats.is_missing(row["reviewed_date"]) else row["reviewed_date"]}


def leaf(
    context: Context,
    href: str,
    *,
    title: str,
    kicker: str,
    lead: str,
    key_figures: Sequence[KeyFigure],
    blocks: Sequence[Block],
    source: str,
    data_of: set[str],
    is_demonstration: bool,
) -> Output:
    """The leaf of the entity whose page is `href`. Raises `ValueError` when it is too heavy to be one."""
    site = (context.publication.site_url or "").rstrip("/")
    path = path_of(href)
    html = (
        environment()
        .get_template("leaf.html.j2")
        .render(
            title=title,
            kicker=kicker,
            lead=lead,
            key_figures=key_figures,
            blocks=blocks,
            source=source,
            licence=context.licensing.words(data_of),
            publication=context.publication,
            is_demonstration=context.publication.is_demonstration or is_demonstration,
            style=_style(),
            policy=policy.alone(_style()),
            page=f"{site}/{href}" if site else "../" * path.count("/") + href,
            address=f"{site}/{href}" if site else None,
        )
    )
    content = typographic(html).encode()
    if len(content) > MOST_BYTES:
        raise ValueError(f"la feuille {path} pèse {len(content)} octets, {MOST_BYTES} au plus")
    return Output(path, content)


@cache
def _style() -> str:
    return (HERE / "static" / "leaf.css").read_text(encoding="utf-8").strip()
