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
from pipelines.publish.words import words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.publish.context import Context
    from pipelines.publish.reports import Output

CLASSES = 255
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_LINE = (
    "name", "organisation_id", "siren", "commune_name", "departement_code", "first_year", "last_year", "years_funded",
    "n_funders",
)  # fmt: skip
_TOLD = ("name", "commune_name", "siren", "rna")
"""What words are looked for in."""
_ROWS = (
    "SELECT * FROM beneficiaries QUALIFY row_number() OVER (PARTITION BY organisation_id ORDER BY amount_total DESC"
    " NULLS LAST, currency) = 1 ORDER BY organisation_id"
)


def index(context: Context) -> tuple[dict[str, Any], list[Output]]:
    """What the search page must know (its `words` and `lines` shards by their first entry), and the shards."""
    rows = context.database.lists(_ROWS)
    identifiers = rows["organisation_id"]
    bits, numbers = numbered(list(zip(identifiers, rows["amount_total"], strict=True)))
    outputs: list[Output] = []
    manifest: dict[str, Any] = {"count": len(identifiers), "bits": bits, "words": [], "lines": []}
    order = sorted(range(len(identifiers)), key=numbers.__getitem__)
    written = lines(context, rows)
    ordered = [written[place] for place in order]
    keys = [identifiers[place] for place in order]
    for part in cut(keys, [len(text_of(each)) for each in ordered]):
        found = [numbers[place] for place in order[part]]
        name, output = shard("l", {"n": _steps(found), "l": ordered[part]})
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


def lines(context: Context, rows: dict[str, list[Any]]) -> list[tuple[Any, ...]]:
    """What a search shows of each beneficiary; `static/search.js` reads a line by position."""
    held = context.directory.beneficiaries
    pages = [held[each]["page"] if each in held else None for each in rows["organisation_id"]]
    return list(
        zip(
            *(rows[name] for name in _LINE), map(plain, rows["amount_total"]), rows["currency"], rows["stage"],
            (int(other is True) for other in rows["has_other_amounts"]), pages, strict=True,
        )
    )  # fmt: skip


def plain(amount: float | None) -> float | int | None:
    """An amount without useless decimals."""
    if amount is None or formats.is_missing(amount):
        return None
    return int(amount) if float(amount).is_integer() else round(float(amount), 2)


def _words(context: Context, rows: dict[str, list[Any]], numbers: list[int]) -> Iterator[tuple[str, str, Output]]:
    holders: dict[str, set[int]] = {}
    places = {
        code: words(context.directory.territory_name(code)) if code else [] for code in {*rows["departement_code"]}
    }
    told = zip(*(rows[name] for name in _TOLD), strict=True)
    for texts, code, number in zip(told, rows["departement_code"], numbers, strict=True):
        for word in {*words(" ".join([text for text in texts if text is not None])), *places[code]}:
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
