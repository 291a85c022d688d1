"""Columns that a format takes from another sheet of the same workbook (a list of parties, say)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.fold import fold_header
from pipelines.ingest.recognise import spellings

if TYPE_CHECKING:
    from collections.abc import Callable

    from pipelines.ingest.recognise import Header
    from pipelines.ingest.sheet import Sheet
    from schemas.format import JoinRule

JOINED = "lue pour compléter la feuille principale"


def with_joins(header: Header, sheets: list[Sheet]) -> tuple[Header, dict[str, str]]:
    """`header` with the joined columns as columns of its sheet, and the reason of each sheet they come from.

    A joined column is lettered by its own sheet and letter (`Tiers!B`): that is where its author sees it.
    """
    reasons: dict[str, str] = {}
    for rule in header.format.layout.joins:
        for other in sheets:
            if other.name == header.sheet.name or other.cells.is_empty():
                continue
            joined = _joined(header, other, rule)
            if joined is not None:
                header, reasons[other.name] = joined, JOINED
                break
    return header, reasons


def _joined(header: Header, other: Sheet, rule: JoinRule) -> Header | None:
    titles = _titles(other, rule)
    on = next((key for key, title in header.titles.items() if fold_header(title) == fold_header(rule.on)), None)
    if titles is None or on is None:
        return None
    row, named = titles
    known, taken = spellings(header.format), set(header.fields.values())
    place = _place(header, other, rule)
    key = next(letter for letter, title in named.items() if fold_header(title) == fold_header(rule.key))
    wanted = {
        letter: (f"{rule.prefix} {title}", name)
        for letter, title in named.items()
        if (name := known.get(fold_header(f"{rule.prefix} {title}"))) and name not in taken
    }
    if not wanted:
        return None
    table = other.cells.filter(pl.col("row") > row).unique(key, keep="first").select(
        pl.col(key).alias("__key"), *(pl.col(letter).alias(place(letter)) for letter in wanted)
    )  # fmt: skip
    cells = header.sheet.cells.join(table, left_on=on, right_on="__key", how="left", maintain_order="left")
    return replace(
        header,
        sheet=replace(header.sheet, cells=cells),
        titles={**header.titles, **{place(letter): title for letter, (title, _) in wanted.items()}},
        fields={**header.fields, **{place(letter): name for letter, (_, name) in wanted.items()}},
    )


def _place(header: Header, other: Sheet, rule: JoinRule) -> Callable[[str], str]:
    """How a joined column is lettered; a sheet joined twice adds what for."""
    again = any(letter.startswith(f"{other.name}!") for letter in header.sheet.letters)
    return lambda letter: f"{other.name}!{letter}" + (f" ({rule.prefix})" if again else "")


def _titles(sheet: Sheet, rule: JoinRule) -> tuple[int, dict[str, str]] | None:
    """Row and titles of the sheet's header, when it has all that the rule names."""
    wanted = {fold_header(title) for title in (*rule.sheet, rule.key)}
    for cells in sheet.cells.head(20).iter_rows(named=True):
        titles = {letter: text for letter, text in cells.items() if letter != "row" and text}
        if wanted <= {fold_header(title) for title in titles.values()}:
            return int(cells["row"]), titles
    return None
