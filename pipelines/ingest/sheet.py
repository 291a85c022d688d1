"""What a reader yields: sheets of text cells that keep the row and column their author sees."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from schemas.distinct import Distinct


class UnreadableFileError(ValueError):
    """A file that cannot be read; the message is for its author, in French."""


@dataclass(frozen=True)
class Problem:
    """Something the reader had to repair on one row; `code` is one of `schemas/issues.toml`."""

    row: int
    code: str
    detail: str | None = None
    cells: int | None = None
    """How many cells the row has, where that is the problem."""


@dataclass(frozen=True)
class Sheet:
    """One sheet: `cells` has an Int32 column `row` (from 1), then text columns named `A`, `B`, … in sheet order."""

    name: str
    cells: pl.DataFrame
    hidden: bool = False
    problems: list[Problem] = field(default_factory=list)
    notes: tuple[str, ...] = ()
    has_title: bool = True
    """False for delimited text, whose only name is its file's."""
    distinct: Mapping[str, Distinct] = field(default_factory=dict)
    """Letter → the same cells by distinct ones, of the columns where they have been sought."""

    @property
    def letters(self) -> list[str]:
        """Letters of the columns, in order."""
        return self.cells.columns[1:]


@dataclass(frozen=True)
class Member:
    """One data file: the deposited file itself, or one file of an archive."""

    name: str
    sheets: list[Sheet]


@dataclass(frozen=True)
class Reading:
    """The data files found in a deposited file, and what was left aside (name, reason in French)."""

    members: list[Member]
    left_aside: list[tuple[str, str]] = field(default_factory=list)


def column_letter(position: int) -> str:
    """The letter of the column at `position` (from 0): 0 → A, 26 → AA."""
    letters = ""
    position += 1
    while position:
        position, remainder = divmod(position - 1, 26)
        letters = chr(65 + remainder) + letters
    return letters


def column_letters(count: int) -> list[str]:
    """The letters of the first `count` columns."""
    return [column_letter(position) for position in range(count)]
