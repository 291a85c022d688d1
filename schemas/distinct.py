"""A column by its distinct cells, so that what is done to a cell is done once, however many lines repeat it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONG = 5_000  # cells above which it is worth looking for repetitions
_SAMPLE = 100


@dataclass(frozen=True)
class Distinct:
    """`cells`: the distinct cells of a text column, the blank one last; `places`: that of each line's among them.

    Where little would be won (a short column, cells that differ), `cells` is the column itself and `places` is None.
    """

    cells: pl.Series
    places: pl.Series | None = None

    @classmethod
    def of(cls, column: pl.Series, *, most: float = 0.5) -> Distinct:
        """The distinct cells of `column`, unless they are more than the share `most` of its lines."""
        most *= column.len()
        if column.len() < _LONG:
            return cls(column)
        if is_constant(column):
            only = pl.Series(column.name, [column[0]], dtype=column.dtype)
            return cls(only, _first_place(column.len()))
        about = column.approx_n_unique()
        if not isinstance(about, int) or about > most:
            return cls(column)
        own = pl.Categories.random()  # of this column alone: gone with it
        coded = column.cast(pl.Categorical(own))
        distinct, places = own.to_series().alias(column.name), coded.to_physical()
        if distinct.len() > most:
            return cls(column)
        if column.null_count():
            places = places.fill_null(distinct.len())
            distinct = distinct.append(pl.Series([None], dtype=pl.String)).rechunk()
        return cls(distinct, places)

    def over(self, values: pl.Series) -> pl.Series:
        """`values`, one for each of `cells`, given to the lines."""
        return values if self.places is None else values.gather(self.places)

    def where(self, places: pl.Series) -> pl.Series:
        """The positions of the lines whose cell is one of those at `places` among `cells`."""
        if self.places is None or not places.len():
            return places
        return self.places.is_in(places.implode()).arg_true()

    def below(self, lines: int) -> Distinct:
        """The same without the first `lines`: cells that they alone have are blank, which says nothing of any line."""
        if self.places is None:
            return Distinct(self.cells.slice(lines))
        above, places = self.places.head(lines).unique(), self.places.slice(lines)
        still = places.filter(places.is_in(above.implode())).unique()
        gone = above.filter(~above.is_in(still.implode()))
        nothing = pl.Series([None], dtype=self.cells.dtype)
        return Distinct(self.cells.clone().scatter(gone, nothing) if gone.len() else self.cells, places)


@lru_cache(maxsize=1)
def _first_place(lines: int) -> pl.Series:
    """The place of the only cell, shared by all the columns of a file that have but one."""
    return pl.zeros(lines, dtype=pl.UInt32, eager=True)


def uniform(value: object, height: int, *, dtype: type[pl.DataType]) -> pl.Series:
    """A column of `height` equal cells. `pl.repeat` asks a query for it, which takes ten times as long."""
    return pl.Series("literal", [value], dtype=dtype).new_from_index(0, height)


def meeting(hashes: pl.Series) -> pl.Series:
    """The positions of the hashes that equal another; sorted, they take a tenth of the memory that grouping takes."""
    ordered = hashes.sort()
    met = ordered.filter(ordered == ordered.shift()).unique()
    return hashes.is_in(met.implode()).arg_true() if met.len() else pl.Series(dtype=pl.UInt32)


def is_constant(column: pl.Series) -> bool:
    """Whether all cells are the same, or all blank."""
    if column.null_count():
        return column.null_count() == column.len()
    return column.head(_SAMPLE).n_unique() == 1 and bool((column == column[0]).all())


def holding(columns: Mapping[str, Distinct], test: pl.Expr) -> list[str]:
    """The names, in order, of the columns with a cell that passes `test`, an expression over every column."""
    alike = {name: column.cells for name, column in columns.items() if column.places is None}
    if sum(cells.len() for cells in alike.values()) < _LONG and len(alike) == len(columns) > 0:
        every = pl.concat(cells.alias("") for cells in alike.values()).to_frame()
        if not every.select(test.any()).item():  # most often nothing is held: one short column tells it sooner
            return []
    frames = [pl.DataFrame(alike)] if alike else []
    frames += [pl.DataFrame({name: column.cells}) for name, column in columns.items() if column.places is not None]
    held: dict[str, bool] = {}
    for frame in frames:
        held |= frame.select(test.any()).row(0, named=True)
    return [name for name in columns if held[name]]
