"""How alike two names are, as numbers: what they share and what each has besides, weighed by how rare the words are.

Rarity is counted on the names at hand; a word that says only a kind or a place counts little however rare it is there.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rapidfuzz import fuzz
from rapidfuzz.distance import JaroWinkler

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pipelines.warehouse.linking.names import Name

FEATURES = (
    "least_cover", "most_cover", "shared", "least_besides", "most_besides", "ratio", "partial", "sorted_words", "start",
    "acronym", "same", "other_number", "other_place", "network", "shared_own",
    "least_cover_squared", "least_cover_shared", "most_cover_shared", "most_cover_squared", "acronym_besides",
)  # fmt: skip
_KIND_WEIGHT = {"own": 1.0, "place": 0.4, "number": 0.5, "aside": 0.35, "acronym": 0.05}
_GENERIC_MOST = 0.3
_EXPLAINED = 0.05  # what remains of a word that the other name spells out
_LEAST = 0.02


@dataclass(frozen=True)
class Weighed:
    """A name and its words' weights, between 0 (everywhere) and 1 (seen once)."""

    name: Name
    weights: dict[str, float]
    kinds: dict[str, str]
    line: str


def weigh(names: Iterable[Name]) -> list[Weighed]:
    """Each name with the weights of its words among all of `names`."""
    everyone = list(names)
    seen = Counter(word for name in everyone for word, _ in name.words)
    most = math.log(len(everyone) + 1)
    rarity = {word: max(_LEAST, (most - math.log(number)) / most) for word, number in seen.items()}
    return [
        Weighed(
            name,
            {
                word: min(rarity[word], _GENERIC_MOST) if kind == "generic" else rarity[word] * _KIND_WEIGHT[kind]
                for word, kind in name.words
            },
            dict(name.words),
            " ".join(word for word, _ in name.words),
        )
        for name in everyone
    ]


def compare(left: Weighed, right: Weighed) -> tuple[float, ...]:
    """The values of `FEATURES` for two names; the order of the two does not matter."""
    common = left.weights.keys() & right.weights.keys()
    shared = shared_own = 0.0
    for word in common:
        weight = max(left.weights[word], right.weights[word])
        shared += weight
        if "own" in (left.kinds[word], right.kinds[word]):
            shared_own += weight
    besides = [{word: weight for word, weight in side.weights.items() if word not in common} for side in (left, right)]
    acronym = max(_explain(besides[0], right), _explain(besides[1], left))
    for likeness, word, other in _near(*besides):
        weight = min(besides[0][word], besides[1][other]) * likeness
        shared += weight
        if left.kinds[word] == "own":
            shared_own += weight
        besides[0][word] *= 1 - likeness
        besides[1][other] *= 1 - likeness
    kinds = [{who.kinds[word] for word in side} for who, side in ((left, besides[0]), (right, besides[1]))]
    sums = [sum(side.values()) for side in besides]
    covers = sorted(shared / (shared + rest) if shared + rest else 0.0 for rest in sums)
    shared = min(shared, 3.0)
    least = min(*sums, 3.0)
    full = (left.name.full, right.name.full)
    return (
        covers[0], covers[1], shared, least, min(max(sums), 4.0),
        fuzz.ratio(*full) / 100, fuzz.partial_ratio(*full) / 100, fuzz.token_sort_ratio(left.line, right.line) / 100,
        JaroWinkler.similarity(*full), acronym, float(full[0] == full[1]),
        float("number" in kinds[0] & kinds[1]), float("place" in kinds[0] & kinds[1]),
        float(left.name.network is not None or right.name.network is not None), min(shared_own, 2.0),
        covers[0] ** 2, covers[0] * shared, covers[1] * shared, covers[1] ** 2, acronym * least,
    )  # fmt: skip


def _explain(besides: dict[str, float], other: Weighed) -> float:
    """How long an acronym of the other name stands among `besides` (0 to 1); such words then hardly count."""
    longest = 0.0
    for word in besides:
        if len(word) > 2 and word in other.name.initials:
            longest = max(longest, min(1.0, (len(word) - 1) / 3))
            besides[word] *= _EXPLAINED
    return longest


def _near(left: dict[str, float], right: dict[str, float]) -> list[tuple[float, str, str]]:
    """Words of the two sides that are one word misspelt or cut short, the nearest first, each used once."""
    found = []
    for word in left:
        if word.isdigit():
            continue
        for other in right:
            if other.isdigit() or not (word[0] == other[0] or abs(len(word) - len(other)) <= 1):
                continue
            shortest = min(len(word), len(other))
            if shortest > 3:
                likeness = JaroWinkler.similarity(word, other)
                if likeness >= 0.9 or word.startswith(other) or other.startswith(word):
                    found.append((likeness, word, other))
                elif shortest > 5 and (ratio := fuzz.ratio(word, other)) >= 80:
                    found.append((ratio / 100, word, other))
    found.sort(reverse=True)
    used: set[tuple[int, str]] = set()
    kept = []
    for likeness, word, other in found:
        if (0, word) not in used and (1, other) not in used:
            used |= {(0, word), (1, other)}
            kept.append((likeness, word, other))
    return kept
