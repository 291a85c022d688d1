"""Awards for scripts: a shard for each fiscal year and département, and the list of a beneficiary's own."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from typing import TYPE_CHECKING, Any

from pipelines.publish.directory import UNKNOWN_TERRITORY
from pipelines.publish.finder import plain
from pipelines.publish.shards import named, shard, stable, text_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from pipelines.publish.context import Context
    from pipelines.publish.reports import Output

    Columns = dict[str, list[Any]]

MOST = 900_000
"""Characters of data in one shard: below 400 KB once compressed."""
FEW = 4_000
"""Awards that tell how long a longer list will be: to write it whole before cutting it would be to write it twice."""
FIELDS = ("funder_id", "service_key", "title", "theme", "purpose", "currency", "stage", "source_name", "source_url")
"""What many awards of one shard share: written once in it, then by its place."""
_COLUMNS = (
    f"{', '.join(FIELDS)}, application_id, organisation_id, beneficiary_name, beneficiary_siren, commune_name,"
    f" coalesce(departement_code, '{UNKNOWN_TERRITORY}') AS departement, fiscal_year, amount"
)
_HOLDER = ("organisation_id", "beneficiary_name", "beneficiary_siren", "commune_name")
_ORDER = "departement, amount DESC NULLS LAST, application_id, beneficiary_name, title"


class Book:
    """Values written once: `places` gives where each of several stands in `values`, -1 for an absence."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._places: dict[Any, int] = {None: -1}

    def places(self, several: Sequence[Any]) -> list[int]:
        """Where each of `several` stands; those that are new are added at the end, in their order."""
        for value in dict.fromkeys(several):
            if value not in self._places:
                self._places[value] = len(self.values)
                self.values.append(value)
        return [self._places[value] for value in several]


class AwardWriter:
    """The awards of one shard. `static/search.js` reads rows by position: year, amount, then FIELDS."""

    def __init__(self) -> None:
        self.books = {field: Book() for field in FIELDS}

    def rows(self, awards: Columns) -> list[tuple[Any, ...]]:
        """Every award, as it is written."""
        fields = (self.books[field].places(awards[field]) for field in FIELDS)
        return list(zip(awards["fiscal_year"], map(plain, awards["amount"]), *fields, strict=True))

    def lists(self) -> list[list[Any]]:
        """The values of each of FIELDS, in their order."""
        return [self.books[field].values for field in FIELDS]


def years(context: Context) -> list[int]:
    """The fiscal years that have awards, the latest first."""
    found = context.database.lists("SELECT DISTINCT fiscal_year FROM awards ORDER BY fiscal_year DESC")
    return [int(year) for year in found["fiscal_year"]]


def of_year(context: Context, year: str) -> Generator[Output, None, list[list[Any]]]:
    """The shards of one year; returns `[year, département, awards, characters, shards…]` of each that has awards."""
    manifest: list[list[Any]] = []
    awards = context.database.slice("awards", "fiscal_year", int(year), _COLUMNS, _ORDER)
    for code, span in spans(awards["departement"]).items():
        held = {name: column[span] for name, column in awards.items()}
        written = list(_written(held))
        size = sum(len(output.content) for _, output in written)
        manifest.append([int(year), code, len(held["departement"]), size, *(name for name, _ in written)])
        yield from (output for _, output in written)
    return manifest


def spans(keys: Sequence[str]) -> dict[str, slice]:
    """Where each of sorted `keys` begins and ends."""
    counted = Counter(keys)  # in the order in which they come
    ends = itertools.accumulate(counted.values())
    return {key: slice(end - counted[key], end) for key, end in zip(counted, ends, strict=True)}


def _written(awards: Columns) -> Iterator[tuple[str, Output]]:
    """One shard, or as many as its size asks for; an award's place among them depends on itself alone."""
    size = _expected(awards)
    if size <= 2 * MOST:
        text = text_of(_data(awards))
        if len(text) <= MOST:
            yield named("a", text)
            return
        size = len(text)
    parts = 1 << math.ceil(math.log2(size / MOST))
    spread: dict[int, list[int]] = {}
    for row, identifier in enumerate(awards["application_id"]):
        spread.setdefault(int(stable(str(identifier))[:6], 16) % parts, []).append(row)
    for place in sorted(spread):
        part = {name: [column[row] for row in spread[place]] for name, column in awards.items()}
        yield from _written(part) if len(spread) > 1 else [shard("a", _data(part))]


def _expected(awards: Columns) -> int:
    """About how many characters a long list takes, from its first awards; nothing of a short one, soon written."""
    total = len(awards["application_id"])
    if total <= FEW:
        return 0
    return len(text_of(_data({name: column[:FEW] for name, column in awards.items()}))) * total // FEW


def _data(awards: Columns) -> dict[str, Any]:
    writer, people = AwardWriter(), Book()
    holders = zip(*(awards[name] for name in _HOLDER), strict=True)
    rows = zip(people.places(list(holders)), writer.rows(awards), strict=True)
    return {"b": people.values, "v": writer.lists(), "r": [(holder, *row) for holder, row in rows]}
