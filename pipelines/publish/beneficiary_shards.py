"""Everything known of the beneficiaries that have no page of their own, in shards that one generic page reads."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from pipelines.publish import finder, formats
from pipelines.publish.award_shards import FIELDS, AwardWriter
from pipelines.publish.finder import plain
from pipelines.publish.shards import shard
from pipelines.publish.tables import records

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from pipelines.publish.context import Context
    from pipelines.publish.reports import Output
    from pipelines.publish.tables import Row

TABLES = (
    "awards", "beneficiaries", "continuity_agreements", "continuity_by_beneficiary_funder", "funders",
    "funding_by_beneficiary_year", "funding_by_funder_year", "territories",
)  # fmt: skip
"""What is read to say everything of a beneficiary, here as on a page of its own."""
PER_SHARD = 64
"""Beneficiaries in one shard, about."""
MOST_AWARDS = 400
"""Awards of one beneficiary among those of others: beyond, shards of its own, so that none is heavy."""
PER_TURN = 16_000
"""Beneficiaries held in memory at once, about."""
_OF_THEM = "WHERE organisation_id IN (SELECT unnest(?)) ORDER BY organisation_id"
_PARTS = {
    "beneficiaries": f"SELECT * FROM beneficiaries {_OF_THEM}, currency",
    "years": f"SELECT * FROM funding_by_beneficiary_year {_OF_THEM}, currency, stage, funder_id, fiscal_year",
    "pairs": f"SELECT * FROM continuity_by_beneficiary_funder {_OF_THEM}, funder_id",
    "agreements": f"SELECT * FROM continuity_agreements {_OF_THEM}, funder_id, agreement_id, start_year, amount",
    "awards": (
        f"SELECT organisation_id, fiscal_year, amount, {', '.join(FIELDS)} FROM awards {_OF_THEM}, fiscal_year DESC,"
        " amount DESC NULLS LAST, application_id, title"
    ),
}


def index(context: Context) -> tuple[list[str], list[Output]]:
    """The shard of each bucket of identifiers (`bucket`), and the shards."""
    everyone = context.database.query("SELECT DISTINCT organisation_id FROM beneficiaries ORDER BY organisation_id")
    buckets = 1 << max(0, math.ceil(math.log2(max(1, len(everyone) / PER_SHARD))))
    spread: list[list[str]] = [[] for _ in range(buckets)]
    for identifier in everyone["organisation_id"]:
        spread[bucket(identifier, buckets)].append(identifier)
    names: list[str] = []
    outputs: dict[str, Output] = {}
    step = max(1, PER_TURN // PER_SHARD)
    for start in range(0, buckets, step):
        turn = spread[start : start + step]
        people = _people(context, [identifier for identifiers in turn for identifier in identifiers])
        for identifiers in turn:
            data, more = _data(context, {each: people[each] for each in identifiers})
            name, output = shard("b", data)
            names.append(name)
            outputs |= {each.path: each for each in (output, *more)}
    return names, list(outputs.values())


def _people(context: Context, identifiers: list[str]) -> dict[str, dict[str, list[Row]]]:
    """The rows of each table for each of `identifiers`."""
    people: dict[str, dict[str, list[Row]]] = {identifier: {} for identifier in identifiers}
    for name, sql in _PARTS.items():
        for identifier, rows in _grouped(context.database.query(sql, [identifiers])):
            people[identifier][name] = rows
    return people


def bucket(identifier: str, buckets: int) -> int:
    """The bucket of an identifier: FNV-1a on its bytes, as `static/search.js` has it."""
    value = 2_166_136_261
    for byte in identifier.encode():
        value = ((value ^ byte) * 16_777_619) & 0xFFFFFFFF
    return value % buckets


def _grouped(frame: pd.DataFrame) -> Iterator[tuple[str, list[Row]]]:
    """Runs of rows of one organisation, of a frame sorted by it."""
    run: list[Row] = []
    for row in records(frame):
        if run and run[0]["organisation_id"] != row["organisation_id"]:
            yield str(run[0]["organisation_id"]), run
            run = []
        run.append(row)
    if run:
        yield str(run[0]["organisation_id"]), run


def _data(context: Context, people: dict[str, dict[str, list[Row]]]) -> tuple[dict[str, Any], list[Output]]:
    """A shard's data, and the shards of awards that it names; of who has a page of their own, its name alone."""
    writer, held = AwardWriter(), context.directory.beneficiaries
    written: dict[str, Any] = {}
    more: list[Output] = []
    for identifier, parts in people.items():
        if identifier in held:
            written[identifier] = held[identifier]["page"]
            continue
        rest = [shard("b", _awards(part)) for part in _pieces(parts.get("awards", [])[MOST_AWARDS:])]
        written[identifier] = _one(context, parts, writer, [name for name, _ in rest])
        more += [output for _, output in rest]
    return {"v": writer.lists(), "b": written}, more


def _pieces(awards: list[Row]) -> Iterator[list[Row]]:
    for start in range(0, len(awards), MOST_AWARDS):
        yield awards[start : start + MOST_AWARDS]


def _awards(awards: list[Row]) -> dict[str, Any]:
    writer = AwardWriter()
    rows = [writer.row(award) for award in awards]
    return {"v": writer.lists(), "a": rows}


def _one(context: Context, parts: dict[str, list[Row]], writer: AwardWriter, more: list[str]) -> dict[str, Any]:
    row = max(parts["beneficiaries"], key=lambda each: _number(each["amount_total"]))
    return {
        "l": finder.line(context, row),
        "r": None if formats.is_missing(row["rna"]) else row["rna"],
        "k": [int(row["run_max"]), int(row["run_current"])],
        "y": [
            [row["currency"], row["stage"], row["funder_id"], int(row["fiscal_year"]), plain(row["amount"]),
             int(row["n_awards"])]
            for row in parts.get("years", [])
        ],
        "p": [
            [row["funder_id"], int(row["years_funded"]), int(row["years_observed"]), int(row["run_max"]),
             int(row["gap_years"] or 0)]
            for row in parts.get("pairs", [])
        ],
        "g": [
            [row["funder_id"], _year(row["start_year"]), _year(row["end_year"]), plain(row["amount"]),
             int(row["ends_next_year"] is True)]
            for row in parts.get("agreements", [])
        ],
        "a": [writer.row(award) for award in parts.get("awards", [])[:MOST_AWARDS]],
        **({"m": more} if more else {}),
    }  # fmt: skip


def _number(value: Any) -> float:
    return -1.0 if formats.is_missing(value) else float(value)


def _year(value: Any) -> int | None:
    return None if formats.is_missing(value) else int(value)
