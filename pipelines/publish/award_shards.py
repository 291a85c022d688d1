"""Awards for scripts: a shard for each fiscal year and département, and the list of a beneficiary's own."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from pipelines.publish.directory import UNKNOWN_TERRITORY
from pipelines.publish.shards import named, stable, text_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from pipelines.publish.context import Context
    from pipelines.publish.reports import Output

    Numbers = np.ndarray[Any, np.dtype[Any]]

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


class Coded:
    """The values of one column as numbers: which of its distinct values each line has, -1 for an absence."""

    def __init__(self, codes: pl.Series, values: Sequence[Any]) -> None:
        self._codes: Numbers = codes.cast(pl.Int32).fill_null(-1).to_numpy()
        self._values = values
        self._places: Numbers = np.full(len(values) + 1, -1, dtype=np.int32)  # the last one is that of an absence

    @staticmethod
    def of(column: pl.Series) -> Coded:
        """A column of texts."""
        known = column.drop_nulls().unique(maintain_order=True)
        return Coded(column.cast(pl.Enum(known)).to_physical(), known.to_list())

    @staticmethod
    def of_rows(frame: pl.DataFrame) -> Coded:
        """The lines of a frame, each as a tuple."""
        known = frame.unique(maintain_order=True).with_row_index("_code")
        codes = frame.join(known, on=frame.columns, how="left", nulls_equal=True, maintain_order="left")["_code"]
        return Coded(codes, known.drop("_code").rows())

    def places(self, lines: Numbers) -> tuple[Numbers, list[Any]]:
        """The values of some lines, each once in the order in which they come, and where that of each line stands."""
        codes = self._codes[lines]
        met = [code for code in dict.fromkeys(codes.tolist()) if code >= 0]  # sooner than by arrays: few at once
        self._places[met] = np.arange(len(met))
        return self._places[codes], [self._values[code] for code in met]


class AwardWriter:
    """The texts of awards, read from a frame that has a column of each of FIELDS, `fiscal_year` and `amount`.

    `static/search.js` reads rows by position: year, amount, then FIELDS.
    """

    def __init__(self, awards: pl.DataFrame) -> None:
        self._told = awards.select(pl.col("fiscal_year").cast(pl.Int32), amount_text("amount"))
        self._coded = [Coded.of(awards[field]) for field in FIELDS]

    def written(self, lines: Numbers, *before: Numbers) -> tuple[str, list[str]]:
        """The values of each of FIELDS as JSON, and each of some awards as what stands between its brackets.

        `before`: numbers that come first in each.
        """
        places, values = zip(*(coded.places(lines) for coded in self._coded), strict=True)
        numbers = [*before, *places]
        frame = pl.DataFrame({f"{rank}": column for rank, column in enumerate(numbers)})
        frame = pl.concat([frame, self._told[lines]], how="horizontal")
        order = [f"{rank}" for rank in range(len(numbers))]
        order[len(before) : len(before)] = self._told.columns
        rows = frame.select(order).write_csv(include_header=False, quote_style="never", line_terminator="\n")
        return text_of(values), rows.split("\n")[:-1]


def amount_text(name: str) -> pl.Expr:
    """A column of amounts as `finder.plain` has them, in JSON."""
    amount = pl.col(name).cast(pl.Float64)
    whole = amount == amount.floor()
    return (
        pl.when(whole).then(amount.cast(pl.Int64, strict=False).cast(pl.String))
        .otherwise(amount.round(2).cast(pl.String)).fill_null("null").alias(name)
    )  # fmt: skip


def years(context: Context) -> list[int]:
    """The fiscal years that have awards, the latest first."""
    found = context.database.lists("SELECT DISTINCT fiscal_year FROM awards ORDER BY fiscal_year DESC")
    return [int(year) for year in found["fiscal_year"]]


def of_year(context: Context, year: str) -> Generator[Output, None, list[list[Any]]]:
    """The shards of one year; returns `[year, département, awards, characters, shards…]` of each that has awards."""
    manifest: list[list[Any]] = []
    awards = _Awards(context.database.slice("awards", "fiscal_year", int(year), _COLUMNS, _ORDER))
    for code, span in spans(awards.departements).items():
        written = list(_written(awards, np.arange(span.start, span.stop)))
        size = sum(len(output.content) for _, output in written)
        manifest.append([int(year), code, span.stop - span.start, size, *(name for name, _ in written)])
        yield from (output for _, output in written)
    return manifest


def spans(keys: Sequence[str]) -> dict[str, slice]:
    """Where each of sorted `keys` begins and ends."""
    counted = Counter(keys)  # in the order in which they come
    ends = itertools.accumulate(counted.values())
    return {key: slice(end - counted[key], end) for key, end in zip(counted, ends, strict=True)}


class _Awards:
    """The awards of one year."""

    def __init__(self, awards: pl.DataFrame) -> None:
        self.departements = awards["departement"].to_list()
        self.identifiers = awards["application_id"]
        self._writer = AwardWriter(awards)
        self._holders = Coded.of_rows(awards.select(_HOLDER))

    def text(self, lines: Numbers) -> str:
        """The data of a shard of some of them."""
        places, holders = self._holders.places(lines)
        values, rows = self._writer.written(lines, places)
        return f'{{"b":{text_of(holders)},"v":{values},"r":[[{"],[".join(rows)}]]}}'


def _written(awards: _Awards, lines: Numbers) -> Iterator[tuple[str, Output]]:
    """One shard, or as many as its size asks for; an award's place among them depends on itself alone."""
    size = _expected(awards, lines)
    if size <= 2 * MOST:
        text = awards.text(lines)
        if len(text) <= MOST:
            yield named("a", text)
            return
        size = len(text)
    parts = 1 << math.ceil(math.log2(size / MOST))
    spread: dict[int, list[int]] = {}
    for line, identifier in zip(lines.tolist(), awards.identifiers[lines], strict=True):
        spread.setdefault(int(stable(identifier)[:6], 16) % parts, []).append(line)
    for place in sorted(spread):
        part = np.array(spread[place])
        yield from _written(awards, part) if len(spread) > 1 else [named("a", awards.text(part))]


def _expected(awards: _Awards, lines: Numbers) -> int:
    """About how many characters a long list takes, from its first awards; nothing of a short one, soon written."""
    return len(awards.text(lines[:FEW])) * len(lines) // FEW if len(lines) > FEW else 0
