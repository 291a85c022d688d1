"""Sheets of cells → which format this is, and on which row its header stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.ingest.fold import fold_header

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.ingest.sheet import Sheet
    from schemas.format import Format

_HEADER_WITHIN = 60  # filled rows looked at from the top


@dataclass(frozen=True)
class Header:
    """A header row found in a sheet: `fields` gives the field of each recognised column letter."""

    format: Format
    sheet: Sheet
    row: int
    titles: Mapping[str, str]
    fields: Mapping[str, str]
    duplicates: Mapping[str, str]
    """Letter of a column whose title was already met → letter of the first one."""


def _spellings(format_: Format) -> dict[str, str]:
    return {fold_header(spelling): name for name in format_.fields for spelling in format_.headers_of(name)}


def find_header(sheet: Sheet, formats: Mapping[str, Format]) -> Header | None:
    """The header of `sheet` in the format that explains most of its columns; None when no format fits."""
    best: Header | None = None
    spellings = {name: _spellings(format_) for name, format_ in formats.items()}
    for row, titles in _top_rows(sheet):
        for name, format_ in formats.items():
            header = _match(sheet, row, titles, format_, spellings[name])
            if header is not None and (best is None or len(header.fields) > len(best.fields)):
                best = header
    return best


def _top_rows(sheet: Sheet) -> list[tuple[int, dict[str, str]]]:
    rows = []
    for cells in sheet.cells.head(10 * _HEADER_WITHIN).iter_rows(named=True):
        titles = {letter: text for letter, text in cells.items() if letter != "row" and text and text.strip()}
        if titles:
            rows.append((int(cells["row"]), titles))
        if len(rows) == _HEADER_WITHIN:
            break
    return rows


def _match(sheet: Sheet, row: int, titles: dict[str, str], format_: Format, spellings: dict[str, str]) -> Header | None:
    folded = {letter: fold_header(title) for letter, title in titles.items()}
    present = set(folded.values())
    if any(fold_header(title) not in present for title in format_.recognise.headers):
        return None
    if any(fold_header(title) in present for title in format_.recognise.forbidden):
        return None
    fields: dict[str, str] = {}
    duplicates: dict[str, str] = {}
    first: dict[str, str] = {}
    for letter, title in folded.items():
        name = spellings.get(title)
        if name is None:
            continue
        if name in first:
            duplicates[letter] = first[name]
        else:
            first[name] = letter
            fields[letter] = name
    if any(name not in first for name in format_.recognise.required):
        return None
    return Header(format_, sheet, row, titles, fields, duplicates)


def knows_any_header(sheet: Sheet, formats: Mapping[str, Format]) -> bool:
    """Whether some row of `sheet` holds at least two titles that a format knows: a grant file of an unknown layout."""
    known = {spelling for format_ in formats.values() for spelling in _spellings(format_)}
    return any(len({fold_header(title) for title in titles.values()} & known) >= 2 for _, titles in _top_rows(sheet))
