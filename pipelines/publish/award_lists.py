"""The awards of each holder of a key, read from the database some at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from pipelines.publish import comma_separated
from pipelines.publish.directory import UNKNOWN_TERRITORY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pipelines.publish.database import PublicDatabase
    from pipelines.publish.directory import Directory

SHOWN = 50
MOST_HELD = 60_000
"""Awards held in memory at once, unless one holder has more alone."""
LOOKED_FOR = 3
"""Turns that are looked for among all awards: to sort them all takes as long as to go through them about four times."""
_ORDER = "fiscal_year DESC, amount DESC NULLS LAST, application_id, beneficiary_name, title, organisation_id, currency"
_SHOWN = (
    "fiscal_year", "funder_id", "funder_name", "organisation_id", "beneficiary_name", "amount", "currency", "title",
    "theme", "purpose", "service_key", "service_name",
)  # fmt: skip
KEYS = {
    "funder_id": "funder_id",
    "service_key": "service_key",
    "organisation_id": "organisation_id",
    "region_code": "region_code",
    "departement_code": f"coalesce(departement_code, '{UNKNOWN_TERRITORY}')",
    "epci_code": "epci_code",
}
"""What awards are listed by, as an expression on `awards`."""


class AwardLists:
    """The awards of each of `values` of one key, most recent first, made safe for spreadsheets.

    Pages ask for them in the order of `values`: the awards are read for as many at once as `MOST_HELD` lets, a turn.
    The first turns are looked for among all awards; whoever asks for more is answered from all of them, sorted once.
    """

    def __init__(self, database: PublicDatabase, key: str, values: Iterable[str]) -> None:
        self._database, self._column = database, KEYS[key]
        counted = database.query(f"SELECT {self._column} AS _key, count(*) AS n FROM awards GROUP BY 1")
        self._turns = list(_turns(values, dict(zip(counted["_key"], counted["n"].tolist(), strict=True))))
        self._turn_of = {value: number for number, turn in enumerate(self._turns) for value in turn}
        self._held = -1
        self._places: dict[str, tuple[int, int]] = {}
        self._n_looked_for = 0
        self._sorted: _Sorted | None = None

    def _place(self, value: str) -> tuple[int, int]:
        """Where the awards of `value` begin in what is held, and how many they are."""
        if self._turn_of[value] != self._held:
            self._read(self._turn_of[value])
        return self._places.get(value, (0, 0))

    def _read(self, turn: int) -> None:
        """Hold the awards of one turn, in the place of the former ones."""
        self._rows = self._safe = pl.DataFrame()
        frame = self._looked_for(turn) if self._n_looked_for < LOOKED_FOR else self._from_sorted(turn)
        counted = frame.group_by("_key", maintain_order=True).len()
        ends = counted["len"].cast(pl.Int64).cum_sum()
        starts = ends - counted["len"]
        self._places = dict(zip(counted["_key"], zip(starts, counted["len"], strict=True), strict=True))
        self._rows, self._safe = frame.select(_SHOWN), comma_separated.neutralised(frame.drop("_key"))
        self._held = turn

    def _looked_for(self, turn: int) -> pl.DataFrame:
        self._n_looked_for += 1
        return self._database.typed(
            f"SELECT *, {self._column} AS _key FROM awards WHERE _key IN (SELECT unnest(?)) ORDER BY _key, {_ORDER}",
            [self._turns[turn]],
        )

    def _from_sorted(self, turn: int) -> pl.DataFrame:
        if self._sorted is None or turn < self._sorted.next:
            self._sorted = _Sorted(self._database, self._column, self._turns, first=turn)
        return self._sorted.turn(turn)

    def first(self, value: str) -> tuple[pl.DataFrame, int]:
        """The first `SHOWN` awards of one holder, and how many there are."""
        start, total = self._place(value)
        return self._rows.slice(start, min(total, SHOWN)), total

    def whole(self, value: str) -> pl.DataFrame:
        """Every award of one holder, for a spreadsheet."""
        start, total = self._place(value)
        return self._safe.slice(start, total)


class _Sorted:
    """The awards of the turns from `first` on, in the order of turns, read as they are asked for."""

    def __init__(self, database: PublicDatabase, column: str, turns: Sequence[Sequence[str]], *, first: int) -> None:
        self.next = first
        numbered = [(value, number) for number, turn in enumerate(turns[first:], start=first) for value in turn]
        self._batches = database.batches(
            f"SELECT awards.*, {column} AS _key, _turn FROM awards"
            f" JOIN (SELECT unnest($1) AS _value, unnest($2) AS _turn) ON {column} = _value"
            f" ORDER BY _turn, _key, {_ORDER}",
            [[value for value, _ in numbered], [number for _, number in numbered]],
        )
        self._begun = next(self._batches)

    def turn(self, number: int) -> pl.DataFrame:
        """The awards of one turn. Raises `ValueError` for one that was passed."""
        if number < self.next:
            raise ValueError(f"turn {number} was passed: {self.next} comes next")
        found, self.next = [], number + 1
        while True:
            found.append(self._begun.filter(pl.col("_turn") == number))
            self._begun = self._begun.filter(pl.col("_turn") > number)
            if not self._begun.is_empty() or (following := next(self._batches, None)) is None:
                return pl.concat(found).drop("_turn")
            self._begun = following


def values_of(directory: Directory, key: str) -> list[str]:
    """The holders of a key that have a page, in the order of pages."""
    held = {"funder_id": "funders", "service_key": "services", "organisation_id": "beneficiaries"}
    return list(getattr(directory, held[key]) if key in held else directory.places(key.removesuffix("_code")))


def _turns(values: Iterable[str], totals: Mapping[str, int]) -> Iterator[list[str]]:
    """Runs of `values` that have `MOST_HELD` awards together at most; who has more is alone."""
    turn: list[str] = []
    held = 0
    for value in values:
        total = totals.get(value, 0)
        if turn and held + total > MOST_HELD:
            yield turn
            turn, held = [], 0
        turn.append(value)
        held += total
    if turn:
        yield turn
