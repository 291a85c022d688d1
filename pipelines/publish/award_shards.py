"""Awards for scripts: a shard for each fiscal year and département, and the list of a beneficiary's own."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

from pipelines.publish.directory import UNKNOWN_TERRITORY
from pipelines.publish.finder import plain
from pipelines.publish.shards import shard, stable, text_of
from pipelines.publish.tables import records

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pipelines.publish.context import Context
    from pipelines.publish.reports import Output
    from pipelines.publish.tables import Row

MOST = 900_000
"""Characters of data in one shard: below 400 KB once compressed."""
FIELDS = ("funder_id", "service_key", "title", "theme", "purpose", "currency", "stage", "source_name", "source_url")
"""What many awards of one shard share: written once in it, then by its place."""
_ORDER = "departement, amount DESC NULLS LAST, application_id, beneficiary_name, title"


class Book:
    """Values written once: `place` gives where a value stands in `values`, -1 for an absence."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._places: dict[Any, int] = {}

    def place(self, value: Any) -> int:
        """Where `value` stands; it is added at the end when it is new."""
        if value is None or value != value:
            return -1
        if value not in self._places:
            self._places[value] = len(self.values)
            self.values.append(value)
        return self._places[value]


class AwardWriter:
    """The awards of one shard. `static/search.js` reads rows by position: year, amount, then FIELDS."""

    def __init__(self) -> None:
        self.books = {field: Book() for field in FIELDS}

    def row(self, award: Row) -> list[Any]:
        """One award."""
        return [
            int(award["fiscal_year"]),
            plain(award["amount"]),
            *(self.books[field].place(award[field]) for field in FIELDS),
        ]

    def lists(self) -> list[list[Any]]:
        """The values of each of FIELDS, in their order."""
        return [self.books[field].values for field in FIELDS]


def index(context: Context) -> tuple[list[list[Any]], list[Output]]:
    """`[year, département, awards, characters, shards…]` of each pair that has awards, and the shards."""
    outputs: list[Output] = []
    manifest: list[list[Any]] = []
    years = context.database.query("SELECT DISTINCT fiscal_year FROM awards ORDER BY fiscal_year DESC")["fiscal_year"]
    for year in years.tolist():
        for code, awards in itertools.groupby(_of_year(context, year), key=lambda row: str(row["departement"])):
            held = list(awards)
            written = list(_written(held))
            size = sum(len(output.content) for _, output in written)
            manifest.append([int(year), code, len(held), size, *(name for name, _ in written)])
            outputs += [output for _, output in written]
    return manifest, outputs


def _of_year(context: Context, year: int) -> list[Row]:
    found = context.database.query(
        f"SELECT {', '.join(FIELDS)}, application_id, organisation_id, beneficiary_name, beneficiary_siren,"
        f" commune_name, coalesce(departement_code, '{UNKNOWN_TERRITORY}') AS departement, fiscal_year, amount"
        f" FROM awards WHERE fiscal_year = ? ORDER BY {_ORDER}",
        [year],
    )
    return records(found)


def _written(awards: list[Row]) -> Iterator[tuple[str, Output]]:
    """One shard, or as many as its size asks for; an award's place among them depends on itself alone."""
    whole = _data(awards)
    size = len(text_of(whole))
    if size <= MOST:
        yield shard("a", whole)
        return
    parts = 1 << math.ceil(math.log2(size / MOST))
    spread: dict[int, list[Row]] = {}
    for award in awards:
        spread.setdefault(int(stable(str(award["application_id"]))[:6], 16) % parts, []).append(award)
    for place in sorted(spread):
        yield from _written(spread[place]) if len(spread[place]) < len(awards) else [shard("a", _data(spread[place]))]


def _data(awards: Iterable[Row]) -> dict[str, Any]:
    writer, people = AwardWriter(), Book()
    rows = [
        [
            people.place((
                award["organisation_id"], award["beneficiary_name"], _known(award["beneficiary_siren"]),
                _known(award["commune_name"]),
            )),
            *writer.row(award),
        ]
        for award in awards
    ]  # fmt: skip
    return {"b": people.values, "v": writer.lists(), "r": rows}


def _known(value: Any) -> Any:
    return None if value is None or value != value else value
