"""Rows whose amounts add up those of other rows: the evidence, to the cent, that a row is a total and no line."""

from __future__ import annotations

from bisect import bisect_left
from decimal import Decimal
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

_FEWEST = 2  # lines that a total must add up: one line equal to another is a coincidence


def adding_up(columns: Mapping[str, pl.Series], suspects: Sequence[int], *, besides: Sequence[int] = ()) -> set[int]:
    """Those of the positions `suspects` where every amount adds up the lines: since the total above, all above, or all.

    `columns`: amounts, by any name, one a row, null where blank. `besides`: positions of rows known to be no lines.
    """
    apart = {*suspects, *besides}
    rows = len(next(iter(columns.values()))) if columns else 0
    lines = [position for position in range(rows) if position not in apart]
    if len(lines) < _FEWEST:
        return set()
    sums = {
        name: [Decimal(0), *accumulate(amounts[line] or Decimal(0) for line in lines)]
        for name, amounts in columns.items()
    }
    found: set[int] = set()
    previous = 0
    for position in sorted(apart):
        here = bisect_left(lines, position)
        stated = {name: amounts[position] for name, amounts in columns.items() if amounts[position]}
        spans = [(previous, here), (0, here), (0, len(lines))]
        agree = (
            all(sums[name][end] - sums[name][start] == value for name, value in stated.items())
            for start, end in spans
            if end - start >= _FEWEST
        )
        if stated and any(agree):
            found.add(position)
        if position in found or position in besides:
            previous = here
    return found.intersection(suspects)
