"""Everything known of the beneficiaries that have no page of their own, in shards that one generic page reads."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from pipelines.publish import finder, formats
from pipelines.publish.award_shards import FIELDS, AwardWriter, spans
from pipelines.publish.finder import plain
from pipelines.publish.shards import named, text_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from pipelines.publish.award_shards import Numbers
    from pipelines.publish.context import Context
    from pipelines.publish.reports import Output

TABLES = (
    "awards", "beneficiaries", "continuity_agreements", "continuity_by_beneficiary_funder", "funders",
    "funding_by_beneficiary_year", "funding_by_funder_year", "territories",
)  # fmt: skip
"""What is read to say everything of a beneficiary, here as on a page of its own."""
PER_SHARD = 64
"""Beneficiaries in one shard, about."""
MOST_AWARDS = 400
"""Awards of one beneficiary among those of others: beyond, shards of its own, so that none is heavy."""
PER_TURN = 24_000
"""Beneficiaries held in memory at once, about."""
_NOTHING = slice(0, 0)
_OF_THEM = "WHERE organisation_id IN (SELECT unnest(?)) ORDER BY organisation_id"
_PARTS = {
    "beneficiaries": f"SELECT * FROM beneficiaries {_OF_THEM}, currency",
    "years": f"SELECT * FROM funding_by_beneficiary_year {_OF_THEM}, currency, stage, funder_id, fiscal_year",
    "pairs": f"SELECT * FROM continuity_by_beneficiary_funder {_OF_THEM}, funder_id",
    "agreements": f"SELECT * FROM continuity_agreements {_OF_THEM}, funder_id, agreement_id, start_year, amount",
}
_AWARDS = (
    f"SELECT organisation_id, fiscal_year, amount, {', '.join(FIELDS)} FROM awards {_OF_THEM}, fiscal_year DESC,"
    " amount DESC NULLS LAST, application_id, title"
)


def index(context: Context) -> Generator[Output, None, list[str]]:
    """The shards; returns that of each bucket of identifiers (`bucket`)."""
    everyone = context.database.query("SELECT DISTINCT organisation_id FROM beneficiaries ORDER BY organisation_id")
    buckets = 1 << max(0, math.ceil(math.log2(max(1, len(everyone) / PER_SHARD))))
    spread: list[list[str]] = [[] for _ in range(buckets)]
    for identifier in everyone["organisation_id"]:
        spread[bucket(identifier, buckets)].append(identifier)
    names: list[str] = []
    given: set[str] = set()
    step = max(1, PER_TURN // PER_SHARD)
    for start in range(0, buckets, step):
        turn = spread[start : start + step]
        people = _people(context, [identifier for identifiers in turn for identifier in identifiers])
        for identifiers in turn:
            data, more = _data(context, people, identifiers)
            name, output = named("b", data)
            names.append(name)
            new = {each.path: each for each in (output, *more) if each.path not in given}
            given |= new.keys()
            yield from new.values()
    return names


@dataclass(frozen=True)
class _Part:
    """What one table says of some beneficiaries: `rows`, and where those of each are."""

    rows: Sequence[Any]
    spans: dict[str, slice]

    def of(self, identifier: str) -> Sequence[Any]:
        """The rows of one beneficiary."""
        return self.rows[self.spans.get(identifier, _NOTHING)]


@dataclass(frozen=True)
class _People:
    """All that is said of some beneficiaries, as shards have it: a line of one is (amount, line, RNA, runs).

    `awarded` is where the awards of each are in what `writer` writes.
    """

    lines: _Part
    years: _Part
    pairs: _Part
    agreements: _Part
    writer: AwardWriter
    awarded: dict[str, slice]


def _people(context: Context, identifiers: list[str]) -> _People:
    """What each table says of `identifiers`."""
    awards = context.database.typed(_AWARDS, [identifiers])
    awarded = spans(awards["organisation_id"].to_list())
    writer = AwardWriter(awards)
    del awards
    read = {name: context.database.lists(sql, [identifiers]) for name, sql in _PARTS.items()}
    placed = {name: spans(columns["organisation_id"]) for name, columns in read.items()}
    return _People(
        _Part(_lines(context, read["beneficiaries"]), placed["beneficiaries"]),
        _Part(_years(read["years"]), placed["years"]),
        _Part(_pairs(read["pairs"]), placed["pairs"]),
        _Part(_agreements(read["agreements"]), placed["agreements"]),
        writer,
        awarded,
    )


def _lines(context: Context, rows: dict[str, list[Any]]) -> list[tuple[Any, ...]]:
    runs = zip(map(int, rows["run_max"]), map(int, rows["run_current"]), strict=True)
    amounts = map(_number, rows["amount_total"])
    return list(zip(amounts, finder.lines(context, rows), rows["rna"], runs, strict=True))


def _years(rows: dict[str, list[Any]]) -> list[tuple[Any, ...]]:
    numbers = map(int, rows["fiscal_year"]), map(plain, rows["amount"]), map(int, rows["n_awards"])
    return list(zip(rows["currency"], rows["stage"], rows["funder_id"], *numbers, strict=True))


def _pairs(rows: dict[str, list[Any]]) -> list[tuple[Any, ...]]:
    numbers = (map(int, rows[name]) for name in ("years_funded", "years_observed", "run_max"))
    return list(zip(rows["funder_id"], *numbers, (int(gap or 0) for gap in rows["gap_years"]), strict=True))


def _agreements(rows: dict[str, list[Any]]) -> list[tuple[Any, ...]]:
    years = map(_year, rows["start_year"]), map(_year, rows["end_year"])
    ends = (int(ends is True) for ends in rows["ends_next_year"])
    return list(zip(rows["funder_id"], *years, map(plain, rows["amount"]), ends, strict=True))


def bucket(identifier: str, buckets: int) -> int:
    """The bucket of an identifier: FNV-1a on its bytes, as `static/search.js` has it."""
    value = 2_166_136_261
    for byte in identifier.encode():
        value = ((value ^ byte) * 16_777_619) & 0xFFFFFFFF
    return value % buckets


def _data(context: Context, people: _People, identifiers: list[str]) -> tuple[str, list[Output]]:
    """A shard's data, and the shards of awards that it names; of who has a page of their own, its name alone."""
    held = context.directory.beneficiaries
    awarded = {each: people.awarded.get(each, _NOTHING) for each in identifiers if each not in held}
    first = [_lines_of(span.start, min(span.stop, span.start + MOST_AWARDS)) for span in awarded.values()]
    values, rows = people.writer.written(np.concatenate([_lines_of(0, 0), *first]))
    written: list[str] = []
    more: list[Output] = []
    start = 0
    for identifier in identifiers:
        if identifier in held:
            written.append(f"{text_of(identifier)}:{text_of(held[identifier]['page'])}")
            continue
        span = awarded[identifier]
        rest = [named("b", _alone(people, piece)) for piece in _pieces(span)]
        end = start + min(MOST_AWARDS, span.stop - span.start)
        one = _one(people, identifier, rows[start:end], [name for name, _ in rest])
        written.append(f"{text_of(identifier)}:{one}")
        more += [output for _, output in rest]
        start = end
    return f'{{"v":{values},"b":{{{",".join(written)}}}}}', more


def _lines_of(start: int, end: int) -> Numbers:
    return np.arange(start, end, dtype=np.int64)


def _pieces(span: slice) -> Iterator[Numbers]:
    """What follows the first awards, a shard each."""
    for start in range(span.start + MOST_AWARDS, span.stop, MOST_AWARDS):
        yield _lines_of(start, min(span.stop, start + MOST_AWARDS))


def _alone(people: _People, piece: Numbers) -> str:
    values, rows = people.writer.written(piece)
    return f'{{"v":{values},"a":{_listed(rows)}}}'


def _one(people: _People, identifier: str, awards: list[str], more: list[str]) -> str:
    _, line, rna, runs = max(people.lines.of(identifier), key=lambda each: each[0])
    known = {
        "l": line,
        "r": rna,
        "k": runs,
        "y": people.years.of(identifier),
        "p": people.pairs.of(identifier),
        "g": people.agreements.of(identifier),
    }
    named_apart = f',"m":{text_of(more)}' if more else ""
    return f'{text_of(known).removesuffix("}")},"a":{_listed(awards)}{named_apart}}}'


def _listed(rows: list[str]) -> str:
    return f"[[{'],['.join(rows)}]]" if rows else "[]"


def _number(value: Any) -> float:
    return -1.0 if formats.is_missing(value) else float(value)


def _year(value: Any) -> int | None:
    return None if formats.is_missing(value) else int(value)
