"""The index of beneficiaries: for each word, who bears it, and the lines that a search shows, largest amounts first.

Every beneficiary has a number: its class of amount (four classes to a doubling, the largest amounts first), then a
place within the class that depends on its identifier alone. A word's holders are a sorted list of such numbers, so that
a search is exact (it crosses lists, nothing is cut) and a beneficiary more or less leaves the other numbers as they
were.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any

from pipelines.publish import formats
from pipelines.publish.shards import cut, shard, stable, text_of
from pipelines.publish.tables import records
from pipelines.publish.words import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.publish.context import Context
    from pipelines.publish.reports import Output
    from pipelines.publish.tables import Row

CLASSES = 255
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_ROWS = (
    "SELECT * FROM beneficiaries QUALIFY row_number() OVER (PARTITION BY organisation_id ORDER BY amount_total DESC"
    " NULLS LAST, currency) = 1 ORDER BY organisation_id"
)


def index(context: Context) -> tuple[dict[str, Any], list[Output]]:
    """What the search page must know (its `words` and `lines` shards by their first entry), and the shards."""
    rows = records(context.database.query(_ROWS))
    bits, numbers = numbered([(str(row["organisation_id"]), row["amount_total"]) for row in rows])
    outputs: list[Output] = []
    manifest: dict[str, Any] = {"count": len(rows), "bits": bits, "words": [], "lines": []}
    order = sorted(range(len(rows)), key=lambda place: numbers[place])
    lines = [line(context, rows[place]) for place in order]
    keys = [str(rows[place]["organisation_id"]) for place in order]
    for part in cut(keys, [len(text_of(each)) for each in lines]):
        found = [numbers[place] for place in order[part]]
        name, output = shard("l", {"n": _steps(found), "l": lines[part]})
        manifest["lines"].append([base36(found[0]), name])
        outputs.append(output)
    for first, name, output in _words(context, rows, numbers):
        manifest["words"].append([first, name])
        outputs.append(output)
    return manifest, outputs


def numbered(people: list[tuple[str, float | None]]) -> tuple[int, list[int]]:
    """The number of each (identifier, amount), and on how many bits its place within its class is written."""
    classes = [CLASSES - _doublings(amount) for _, amount in people]
    largest = max(Counter(classes).values(), default=1)
    bits = max(4, math.ceil(math.log2(largest)) + 1)
    taken: set[int] = set()
    numbers = []
    for (identifier, _), each in zip(people, classes, strict=True):
        attempt = 0
        while (number := (each << bits) | int(stable(f"{attempt}{identifier}")[:12], 16) % (1 << bits)) in taken:
            attempt += 1
        taken.add(number)
        numbers.append(number)
    return bits, numbers


def _doublings(amount: float | None) -> int:
    """Quarters of a doubling above one unit of currency, in whole numbers alone."""
    if amount is None or formats.is_missing(amount) or amount < 1:
        return 0
    return min(CLASSES, (int(amount) ** 4).bit_length())


def line(context: Context, row: Row) -> list[Any]:
    """What a search shows of one beneficiary; `static/search.js` reads it by position."""
    known = {name: None if formats.is_missing(value) else value for name, value in row.items()}
    page = context.directory.beneficiaries.get(str(row["organisation_id"]))
    return [
        known["name"],
        known["organisation_id"],
        known["siren"],
        known["commune_name"],
        known["departement_code"],
        *(known[name] for name in ("first_year", "last_year", "years_funded", "n_funders")),
        plain(known["amount_total"]),
        known["currency"],
        known["stage"],
        int(known["has_other_amounts"] is True),
        page["page"] if page else None,
    ]


def plain(amount: float | None) -> float | int | None:
    """An amount without useless decimals."""
    if amount is None or formats.is_missing(amount):
        return None
    return int(amount) if float(amount).is_integer() else round(float(amount), 2)


def _words(context: Context, rows: list[Row], numbers: list[int]) -> Iterator[tuple[str, str, Output]]:
    holders: dict[str, set[int]] = {}
    places: dict[object, list[str]] = {}
    for row, number in zip(rows, numbers, strict=True):
        code = row["departement_code"]
        if code not in places:
            places[code] = [] if formats.is_missing(code) else words(context.directory.territory_name(code))
        told = [
            str(row[name]) for name in ("name", "commune_name", "siren", "rna") if not formats.is_missing(row[name])
        ]
        for word in {*words(" ".join(told)), *places[code]}:
            holders.setdefault(word, set()).add(number)
    known = sorted(holders, key=lambda word: word.encode("utf-16-be"))  # the order of scripts
    written = [_steps(sorted(holders[word])) for word in known]
    for part in cut(known, [len(word) + len(text) + 6 for word, text in zip(known, written, strict=True)]):
        name, output = shard("m", dict(zip(known[part], written[part], strict=True)))
        yield known[part][0], name, output


def _steps(numbers: list[int]) -> str:
    """Sorted numbers as their differences."""
    return " ".join(base36(b - a) for a, b in zip([0, *numbers], numbers, strict=False))


def base36(number: int) -> str:
    """A number from 0 as scripts read it with `parseInt(text, 36)`."""
    text = ""
    while number >= 36:
        number, rest = divmod(number, 36)
        text = _DIGITS[rest] + text
    return _DIGITS[number] + text
