"""A column by its distinct cells, so that what is done to a cell is done once, however many lines repeat it."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

_LONG = 5_000  # cells above which it is worth looking for repetitions


@dataclass(frozen=True)
class Distinct:
    """`cells`: the distinct cells of a text column, the blank one last; `places`: that of each line's among them.

    Where little would be won (a short column, cells that differ), `cells` is the column itself and `places` is None.
    """

    cells: pl.Series
    places: pl.Series | None = None

    @classmethod
    def of(cls, column: pl.Series) -> Distinct:
        """The distinct cells of `column`."""
        most = column.len() / 2
        if column.len() < _LONG:
            return cls(column)
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
