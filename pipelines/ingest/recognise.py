"""Sheets of cells → which format this is, and on which row, or two rows, its header stands."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from pipelines.ingest.fold import fold_header
from schemas.format import load_formats

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pipelines.ingest.sheet import Sheet
    from schemas.format import Format, UnpivotRule

_HEADER_WITHIN = 60  # filled rows looked at from the top
_WIDEST = 1_000  # columns among which titles are sought
_LONGEST_TITLE = 600  # characters; a title is no essay
CONTINUED = "suite"


@dataclass(frozen=True)
class Header:
    """A header found in a sheet: `fields` gives the field of each recognised column letter.

    `row` is its last row, `top` its first one. `titles` are as the author wrote them; those of a header on two rows
    are put together.
    """

    format: Format
    sheet: Sheet
    row: int
    titles: Mapping[str, str]
    fields: Mapping[str, str]
    duplicates: Mapping[str, str]
    """Letter of a column whose title was already met → letter of the first one."""
    top: int = 0
    spelled: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The folded ways of reading each column's title: on one row, on two, or going on from the column before."""


@dataclass(frozen=True)
class Candidate:
    """One row, or two, that may be a header: for each letter its title and the ways it may be spelled, best first."""

    top: int
    row: int
    titles: dict[str, str]
    spelled: dict[str, tuple[str, ...]]

    @property
    def present(self) -> set[str]:
        """Every spelling that stands in the header."""
        return {folded for ways in self.spelled.values() for folded in ways}


def spellings(format_: Format) -> dict[str, str]:
    """The folded headers of a format, each with the field (or part of a field) it fills."""
    return {fold_header(spelling): name for spelling, name in format_.spellings().items()}


@dataclass(frozen=True)
class _Titles:
    """Of some formats: the spellings of each, which of them know a spelling, which may be met `anyway`."""

    known: dict[str, dict[str, str]]
    bearers: dict[str, set[str]]
    anyway: set[str]

    @classmethod
    def of(cls, formats: Mapping[str, Format]) -> _Titles:
        """Those of `formats`."""
        known = {name: spellings(format_) for name, format_ in formats.items()}
        bearers: dict[str, set[str]] = {}
        for name, titles in known.items():
            for spelling in titles:
                bearers.setdefault(spelling, set()).add(name)
        anyway = {name for name, format_ in formats.items() if _told_by_values(format_)}
        return cls(known, bearers, anyway)

    def likely(self, present: set[str]) -> set[str]:
        """The formats that may know a header with the spellings `present`."""
        return self.anyway.union(*(self.bearers[spelling] for spelling in present & self.bearers.keys()))


def _told_by_values(format_: Format) -> bool:
    """Whether columns whose titles are values can fill all that a format requires, none of its spellings being met."""
    unpivot = format_.layout.unpivot
    return set(() if unpivot is None else unpivot.columns).issuperset(format_.recognise.required)


@cache
def _every_title() -> _Titles:
    """Those of all the formats, put together once: it takes as long as to look at a small file."""
    return _Titles.of(load_formats())


def find_header(sheet: Sheet, formats: Mapping[str, Format]) -> Header | None:
    """The header of `sheet` in the format that explains most of its columns; None when no format fits.

    In one format, the first header counts, however long those repeated below it: nothing under it is a preamble.
    """
    best: dict[str, Header] = {}
    titles = _every_title() if formats is load_formats() else _Titles.of(formats)
    for candidate in candidates(sheet):
        present = candidate.present
        likely = titles.likely(present)
        for name, format_ in formats.items():
            header = _match(sheet, candidate, present, format_, titles.known[name]) if name in likely else None
            if header is not None and (name not in best or _better(header, best[name])):
                best[name] = header
    return max(best.values(), key=lambda header: (len(header.fields), -header.top), default=None)


def _better(header: Header, other: Header) -> bool:
    """Whether `header`, met later, reads more columns on the same rows, or on these and the next."""
    return header.top <= other.row and len(header.fields) > len(other.fields)


def candidates(sheet: Sheet) -> Iterator[Candidate]:
    """Each of the first rows alone, then with the row above it."""
    rows, letters = _top_rows(sheet), sheet.letters[:_WIDEST]
    for position, (row, titles) in enumerate(rows):
        yield Candidate(row, row, titles, _continued(titles, letters))
        if position and rows[position - 1][0] == row - 1:
            yield _two_rows(*rows[position - 1], row, titles, letters)


def _top_rows(sheet: Sheet) -> list[tuple[int, dict[str, str]]]:
    rows = []
    for cells in sheet.cells.head(10 * _HEADER_WITHIN).iter_rows(named=True):
        titles = {
            letter: text for letter, text in cells.items() if letter != "row" and text and text.strip(" \u00a0\n\r\t")
        }
        if titles:
            rows.append((int(cells["row"]), titles))
        if len(rows) == _HEADER_WITHIN:
            break
    return rows


def _continued(titles: dict[str, str], letters: list[str]) -> dict[str, tuple[str, ...]]:
    """The folded titles; a blank cell after a title (two columns under one merged cell) goes on with it."""
    spelled: dict[str, tuple[str, ...]] = {}
    last = ""
    for letter in letters:
        if letter in titles:
            last = titles[letter][:_LONGEST_TITLE]
            spelled[letter] = (fold_header(last),)
        elif last:
            spelled[letter] = (fold_header(last) + CONTINUED,)
            last = ""
    return spelled


def _two_rows(top: int, above: dict[str, str], row: int, below: dict[str, str], letters: list[str]) -> Candidate:
    """A header on two rows: a title below, a title above it (or to the left of that one, when it is a merged cell)."""
    titles: dict[str, str] = {}
    spelled: dict[str, tuple[str, ...]] = {}
    group = ""
    for letter in letters:
        group = above.get(letter, group)[:_LONGEST_TITLE]
        own = below.get(letter, "")[:_LONGEST_TITLE]
        if own:
            joined = f"{group} {own}".strip()
            titles[letter] = joined if letter in above else own
            spelled[letter] = (fold_header(joined), fold_header(own))
        elif letter in above:
            titles[letter] = above[letter]
            spelled[letter] = (fold_header(group),)
    return Candidate(top, row, titles, spelled)


def _match(
    sheet: Sheet, candidate: Candidate, present: set[str], format_: Format, known: dict[str, str]
) -> Header | None:
    unpivot = format_.layout.unpivot
    if any(fold_header(title) not in present for title in format_.recognise.headers):
        return None
    if any(fold_header(title) in present for title in format_.recognise.forbidden):
        return None
    met = [
        (way, letter, spelling)
        for letter, ways in candidate.spelled.items()
        for way, spelling in enumerate(ways)
        if spelling in known
    ]
    rank = {spelling: place for place, spelling in enumerate(known)} if met else {}
    found = [(way, rank[spelling], letter, known[spelling]) for way, letter, spelling in met]
    fields: dict[str, str] = {}
    duplicates: dict[str, str] = {}
    first: dict[str, str] = {}
    for _, _, letter, name in sorted(found, key=lambda item: item[:2]):  # the format lists the best spelling first
        if letter in fields or letter in duplicates:
            continue
        if name in first:
            duplicates[letter] = first[name]
        else:
            first[name] = letter
            fields[letter] = name
    may_fill = {name.partition(".")[0] for name in first} | set(() if unpivot is None else unpivot.columns)
    if not may_fill.issuperset(format_.recognise.required):
        return None
    if unpivot is not None and not _match_values(candidate, format_, first, fields, duplicates):
        return None
    filled = {name.partition(".")[0] for name in first}
    if any(name not in filled for name in format_.recognise.required):
        return None
    titles = candidate.titles | {
        letter: f"{candidate.titles[_before(letter, sheet.letters)]} ({CONTINUED})"
        for letter in fields
        if letter not in candidate.titles
    }
    ordered = {letter: fields[letter] for letter in sheet.letters if letter in fields}
    return Header(
        format_, sheet, candidate.row, titles, ordered, duplicates, top=candidate.top, spelled=candidate.spelled
    )


def _match_values(
    candidate: Candidate, format_: Format, first: dict[str, str], fields: dict[str, str], duplicates: dict[str, str]
) -> bool:
    """Add the columns whose titles are values to what is matched, as `<field>.<value>`; False when they are too few."""
    rule = format_.layout.unpivot
    if rule is None:
        return True
    listed = {fold_header(title) for title in format_.rule(rule.key).values}
    for letter, ways in candidate.spelled.items():
        if letter in fields or letter in duplicates:
            continue
        name = next((name for way in ways if (name := _value_column(way, rule, listed))), None)
        if name is not None and name in first:
            duplicates[letter] = first[name]
        elif name is not None:
            first[name] = letter
            fields[letter] = name
    widest = max(sum(name.startswith(f"{own}.") for name in first) for own in rule.columns)
    return widest >= rule.fewest


def _value_column(title: str, rule: UnpivotRule, listed: set[str]) -> str | None:
    for name, pattern in rule.columns.items():
        found = re.fullmatch(pattern, title) if pattern else None
        value = title if not pattern and title in listed else found and found[1]
        if value:
            return f"{name}.{value}"
    return None


def _before(letter: str, letters: list[str]) -> str:
    return letters[letters.index(letter) - 1]


def knows_any_header(sheet: Sheet, formats: Mapping[str, Format]) -> bool:
    """Whether some row of `sheet` holds at least two titles that a format knows: a grant file of an unknown layout."""
    known = {spelling for format_ in formats.values() for spelling in spellings(format_)}
    return any(
        len({fold_header(title[:_LONGEST_TITLE]) for title in list(titles.values())[:_WIDEST]} & known) >= 2
        for _, titles in _top_rows(sheet)
    )
