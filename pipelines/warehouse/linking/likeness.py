"""How alike two names are, as numbers: what they share and what each has besides, weighed by how rare the words are.

Rarity is counted on the names at hand; a word that says only a kind or a place counts little however rare it is there.
Many pairs of names are compared at once: one row of each array is a pair, one column a word of its name.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from rapidfuzz import fuzz
from rapidfuzz.distance import JaroWinkler
from rapidfuzz.process import cpdist

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from pipelines.warehouse.linking.names import Name

FEATURES = (
    "least_cover", "most_cover", "shared", "least_besides", "most_besides", "ratio", "partial", "sorted_words", "start",
    "acronym", "same", "other_number", "other_place", "network", "shared_own",
    "least_cover_squared", "least_cover_shared", "most_cover_shared", "most_cover_squared", "acronym_besides",
)  # fmt: skip
_KIND_WEIGHT = {"own": 1.0, "place": 0.4, "number": 0.5, "aside": 0.35, "acronym": 0.05}
_KINDS = ("own", "generic", "place", "number", "aside", "acronym")
_OWN, _PLACE, _NUMBER = (_KINDS.index(kind) for kind in ("own", "place", "number"))
_GENERIC_MOST = 0.3
_EXPLAINED = 0.05  # what remains of a word that the other name spells out
_LEAST = 0.02
_MANY = 1_000  # pairs of texts from which every processor is worth waking


@dataclass
class _Side:
    """One of the two names of each pair: its words (-1: none), their kinds, and what each weighs besides the shared."""

    names: NDArray[np.int64]
    words: NDArray[np.int64]
    kinds: NDArray[np.int8]
    weights: NDArray[np.float64]
    is_besides: NDArray[np.bool_]
    """Words that the other name does not have."""


class Weighed:
    """Names, by their places in a list, and their words' weights: between 0 (everywhere) and 1 (seen once)."""

    def __init__(self, names: Sequence[Name]) -> None:
        seen = Counter(word for name in names for word, _ in name.words)
        self._texts = sorted(seen)
        place = {word: number for number, word in enumerate(self._texts)}
        most = math.log(len(names) + 1)
        rarity = [max(_LEAST, (most - math.log(seen[word])) / most) for word in self._texts]
        # one more at the end: -1, where a name has no word
        self._lengths = np.array([*map(len, self._texts), 0], dtype=np.int64)
        self._firsts = np.array([*(ord(word[0]) for word in self._texts), 0], dtype=np.int64)
        self._is_digits = np.array([*map(str.isdigit, self._texts), False], dtype=np.bool_)

        self._sizes = np.array([len(name.words) for name in names], dtype=np.int64)
        shape = (len(names), int(self._sizes.max(initial=1)))
        is_word = np.arange(shape[1]) < self._sizes[:, None]
        self._words = np.full(shape, -1, dtype=np.int64)
        self._words[is_word] = [place[word] for name in names for word, _ in name.words]
        self._kinds = np.full(shape, -1, dtype=np.int8)
        self._kinds[is_word] = [_KINDS.index(kind) for name in names for _, kind in name.words]
        self._weights = np.zeros(shape)
        self._weights[is_word] = [
            min(rarity[place[word]], _GENERIC_MOST) if kind == "generic" else rarity[place[word]] * _KIND_WEIGHT[kind]
            for name in names
            for word, kind in name.words
        ]
        self._is_network = np.array([name.network is not None for name in names], dtype=np.bool_)
        self._full = [name.full for name in names]
        self._line = [" ".join(word for word, _ in name.words) for name in names]
        spelt = [
            number * len(place) + place[letters]
            for number, name in enumerate(names)
            for letters in name.initials & place.keys()
        ]
        self._initials = np.sort(np.array(spelt, dtype=np.int64))
        self._is_initials = np.zeros(len(place) + 1, dtype=np.bool_)
        self._is_initials[self._initials % max(len(place), 1)] = True

    def compare(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
        """The values of `FEATURES` for pairs of names, a row each; the order of the two does not matter."""
        one, other = self._sides(left, right)
        is_same = (one.words[:, :, None] == other.words[:, None, :]) & one.is_besides[:, :, None]
        one.is_besides &= ~is_same.any(axis=2)
        other.is_besides &= ~is_same.any(axis=1)
        row, mine, theirs = is_same.nonzero()
        weight = np.maximum(one.weights[row, mine], other.weights[row, theirs])
        is_own = (one.kinds[row, mine] == _OWN) | (other.kinds[row, theirs] == _OWN)
        shared, shared_own = (
            np.bincount(row, part, len(left)).astype(np.float64) for part in (weight, weight * is_own)
        )
        for side in (one, other):
            side.weights[~side.is_besides] = 0.0
        acronym = np.maximum(self._explain(one, other), self._explain(other, one))
        self._meet(one, other, shared, shared_own)

        sums = np.stack([one.weights.sum(axis=1), other.weights.sum(axis=1)])
        covers = np.sort(np.divide(shared, shared + sums, out=np.zeros_like(sums), where=shared + sums > 0), axis=0)
        shared = np.minimum(shared, 3.0)
        least = np.minimum(sums.min(axis=0), 3.0)
        (full, full_other), (line, line_other) = (
            [[texts[at] for at in side] for side in (left, right)] for texts in (self._full, self._line)
        )
        both = [
            ((one.kinds == kind) & one.is_besides).any(axis=1) & ((other.kinds == kind) & other.is_besides).any(axis=1)
            for kind in (_NUMBER, _PLACE)
        ]
        return np.column_stack((
            covers[0], covers[1], shared, least, np.minimum(sums.max(axis=0), 4.0),
            _alike(full, full_other, fuzz.ratio) / 100, _alike(full, full_other, fuzz.partial_ratio) / 100,
            _alike(line, line_other, fuzz.token_sort_ratio) / 100, _alike(full, full_other, JaroWinkler.similarity),
            acronym, [mine == theirs for mine, theirs in zip(full, full_other, strict=True)],
            *both, self._is_network[left] | self._is_network[right], np.minimum(shared_own, 2.0),
            covers[0] ** 2, covers[0] * shared, covers[1] * shared, covers[1] ** 2, acronym * least,
        )).astype(np.float64)  # fmt: skip

    def _sides(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> tuple[_Side, _Side]:
        most = int(max(self._sizes[left].max(initial=1), self._sizes[right].max(initial=1)))
        one, other = (
            _Side(
                names,
                self._words[names, :most],
                self._kinds[names, :most],
                self._weights[names, :most],
                self._words[names, :most] >= 0,
            )
            for names in (left, right)
        )
        return one, other

    def _explain(self, side: _Side, other: _Side) -> NDArray[np.float64]:
        """How long an acronym of the other name stands among the words besides (0 to 1); they then hardly count."""
        row, at = (side.is_besides & self._is_initials[side.words] & (self._lengths[side.words] > 2)).nonzero()
        word = side.words[row, at]
        wanted = other.names[row] * len(self._texts) + word
        is_spelt = _is_among(wanted, self._initials)
        row, at, word = row[is_spelt], at[is_spelt], word[is_spelt]
        longest = np.zeros(len(side.names))
        np.maximum.at(longest, row, np.minimum(1.0, (self._lengths[word] - 1) / 3))
        side.weights[row, at] *= _EXPLAINED
        return longest

    def _meet(self, one: _Side, other: _Side, shared: NDArray[np.float64], shared_own: NDArray[np.float64]) -> None:
        """Count as shared the words of the two sides that are one word misspelt or cut short, the nearest first.

        Each word is used once, and what is left of it stays besides.
        """
        row, mine, theirs, likeness = self._near(one, other)
        while row.size:
            is_first = np.append(True, row[1:] != row[:-1])
            of, here, there, near = row[is_first], mine[is_first], theirs[is_first], likeness[is_first]
            weight = np.minimum(one.weights[of, here], other.weights[of, there]) * near
            shared[of] += weight
            shared_own[of] += weight * (one.kinds[of, here] == _OWN)
            one.weights[of, here] *= 1 - near
            other.weights[of, there] *= 1 - near
            used = np.full((2, len(shared)), -1)
            used[:, of] = here, there
            is_left = (used[0, row] != mine) & (used[1, row] != theirs)
            row, mine, theirs, likeness = row[is_left], mine[is_left], theirs[is_left], likeness[is_left]

    def _near(
        self, one: _Side, other: _Side
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Pairs of words that may be one: row, place in either name, likeness; by row, the nearest first."""
        is_worth = [
            side.is_besides & ~self._is_digits[side.words] & (self._lengths[side.words] > 3) for side in (one, other)
        ]
        row, mine, theirs = (is_worth[0][:, :, None] & is_worth[1][:, None, :]).nonzero()
        words, others = one.words[row, mine], other.words[row, theirs]
        is_worth = (self._firsts[words] == self._firsts[others]) | (
            np.abs(self._lengths[words] - self._lengths[others]) <= 1
        )
        row, mine, theirs, words, others = (part[is_worth] for part in (row, mine, theirs, words, others))
        distinct, of = np.unique(words * len(self._texts) + others, return_inverse=True)
        likeness = self._likeness(*np.divmod(distinct, len(self._texts)))[of]
        order = np.lexsort((-others, -words, -likeness, row))
        order = order[likeness[order] > 0]
        return row[order], mine[order], theirs[order], likeness[order]

    def _likeness(self, words: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.float64]:
        """How alike two words are, 0 when they are not one word."""
        left, right = ([self._texts[at] for at in side] for side in (words, others))
        likeness = _alike(left, right, JaroWinkler.similarity)
        is_start = np.array(
            [one.startswith(other) or other.startswith(one) for one, other in zip(left, right, strict=True)], dtype=bool
        )
        far = (~(is_start | (likeness >= 0.9))).nonzero()[0]
        ratio = _alike([left[at] for at in far], [right[at] for at in far], fuzz.ratio)
        is_long = np.minimum(self._lengths[words[far]], self._lengths[others[far]]) > 5
        likeness[far] = np.where(is_long & (ratio >= 80), ratio / 100, 0.0)
        return likeness


def _alike(left: list[str], right: list[str], scorer: Callable[..., Any]) -> NDArray[np.float64]:
    """`scorer` on texts, two by two."""
    if not left:
        return np.zeros(0)
    found: NDArray[np.float64] = cpdist(
        left, right, scorer=scorer, dtype=np.float64, workers=-1 if len(left) > _MANY else 1
    )
    return found


def _is_among(wanted: NDArray[np.int64], known: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which of `wanted` are in the sorted `known`."""
    if not known.size:
        return np.zeros(len(wanted), dtype=np.bool_)
    found: NDArray[np.bool_] = known[np.minimum(np.searchsorted(known, wanted), len(known) - 1)] == wanted
    return found
