"""What was found of cells that could not be taken as they are, and of personal values taken out."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import repeat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from schemas.distinct import Distinct


@dataclass
class Findings:
    """Cells that could not be taken as they are: position of the line, field, code of the issue, text, detail."""

    rows: list[tuple[int, str | None, str, str | None, str | None]] = field(default_factory=list)
    personal: dict[str, int] = field(default_factory=dict)
    remainders: dict[str, pl.Series] = field(default_factory=dict)
    """Amount field → what rounding each line to cents took from it, so that totals stay those of the file."""
    years: dict[str, pl.Series] = field(default_factory=dict)
    """Date field → for each line the year that its cell states without a date."""
    column: Distinct | None = None
    """The column whose distinct cells are spoken of; None: each line has its own cell."""

    def take(self, others: Findings) -> None:
        """Add what was found of another column."""
        self.rows += others.rows
        for kind, lines in others.personal.items():
            self.personal[kind] = self.personal.get(kind, 0) + lines
        for name, lost in others.remainders.items():
            self.remainders[name] = self.remainders[name] + lost if name in self.remainders else lost
        self.years |= others.years

    def add(self, code: str, name: str, raw: pl.Series, mask: pl.Series, *, details: pl.Series | None = None) -> None:
        """One finding for each line where `mask` is true."""
        if not mask.any():
            return
        lines, cells = self._concerned(mask)
        texts = raw.gather(cells).to_list()
        said = repeat(None) if details is None else details.gather(cells).to_list()
        self.rows += zip(lines.to_list(), repeat(name), repeat(code), texts, said, strict=False)

    def add_once(self, code: str, name: str, raw: pl.Series, mask: pl.Series) -> None:
        """One finding for a whole column, at its first cell, with the number of cells concerned."""
        if mask.any():
            lines, cells = self._concerned(mask)
            self.rows.append((lines[0], name, code, raw[cells[0]], f"{lines.len()} cellules"))

    def count_personal(self, kind: str, mask: pl.Series) -> None:
        """Keep the number of personal values of one kind taken out."""
        if mask.any():
            self.personal[kind] = self._concerned(mask)[0].len()

    def lose(self, name: str, remainders: pl.Series) -> None:
        """Keep what rounding took from each line."""
        self.remainders[name] = self._over(remainders)

    def state_years(self, name: str, years: pl.Series) -> None:
        """Keep the years that the cells of a date state."""
        self.years[name] = self._over(years)

    def _over(self, values: pl.Series) -> pl.Series:
        return values if self.column is None else self.column.over(values)

    def _concerned(self, mask: pl.Series) -> tuple[pl.Series, pl.Series]:
        """The positions of the lines where `mask` is true, and of their cells."""
        cells = mask.fill_null(False).arg_true()
        if self.column is None or self.column.places is None:
            return cells, cells
        lines = self.column.over(mask.fill_null(False)).arg_true()
        return lines, self.column.places.gather(lines)
