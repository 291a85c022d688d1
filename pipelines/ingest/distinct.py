"""A column by its distinct cells, so that what is done to a cell is done once, however many lines repeat it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

_LONG = 5_000  # cells above which it is worth looking for repetitions


@dataclass(frozen=True)
class Distinct:
    """`cells`: the distinct cells of a text column, in order of appearance; `places`: that of each line's among them.

    Where little would be won (a short column, cells that differ), `cells` is the column itself and `places` is None.
    """

    cells: pl.Series
    places: pl.Series | None = None

    @classmethod
    def of(cls, column: pl.Series) -> Distinct:
        """The distinct cells of `column`."""
        most = column.len() / 2
        about = column.approx_n_unique()
        if column.len() < _LONG or not isinstance(about, int) or about > most:
            return cls(column)
        distinct = column.unique(maintain_order=True)
        if distinct.len() > most:
            return cls(column)
        numbered = distinct.to_frame("cell").with_row_index("place")
        cells = column.to_frame("cell")
        placed = cells.join(numbered, on="cell", how="left", nulls_equal=True, maintain_order="left")
        return cls(distinct, placed["place"])

    def over(self, values: pl.Series) -> pl.Series:
        """`values`, one for each of `cells`, given to the lines."""
        return values if self.places is None else values.gather(self.places)
