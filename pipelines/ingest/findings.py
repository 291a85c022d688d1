"""What was found of cells that could not be taken as they are, and of personal values taken out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


@dataclass
class Findings:
    """Cells that could not be taken as they are: position of the line, field, code of the issue, text, detail."""

    rows: list[tuple[int, str | None, str, str | None, str | None]] = field(default_factory=list)
    personal: dict[str, int] = field(default_factory=dict)
    remainders: dict[str, pl.Series] = field(default_factory=dict)
    """Amount field → what rounding each line to cents took from it, so that totals stay those of the file."""

    def add(self, code: str, name: str, raw: pl.Series, mask: pl.Series, *, details: pl.Series | None = None) -> None:
        """One finding for each line where `mask` is true."""
        for position in mask.fill_null(False).arg_true().to_list():
            detail = None if details is None else details[position]
            self.rows.append((position, name, code, raw[position], detail))

    def add_once(self, code: str, name: str, raw: pl.Series, mask: pl.Series) -> None:
        """One finding for a whole column, at its first cell, with the number of cells concerned."""
        places = mask.fill_null(False).arg_true()
        if places.len():
            self.rows.append((places[0], name, code, raw[places[0]], f"{places.len()} cellules"))

    def count_personal(self, kind: str, cells: int) -> None:
        """Add to the number of personal values taken out."""
        if cells:
            self.personal[kind] = self.personal.get(kind, 0) + cells
