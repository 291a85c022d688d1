"""How alike two names are, as numbers: what they share and what each has besides, weighed by how rare the words are.

Rarity is counted on the names at hand; a word that says only a kind or a place counts little however rare it is there.
Many pairs of names are compared at once: one row of each array is a pair, one column a word of its name.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from rapidfuzz import fuzz
from rapidfuzz.distance import JaroWinkler
from rapidfuzz.process import cpdist

from pipelines.warehouse.linking.arrays import is_among, spread, starts
from pipelines.warehouse.linking.letters import LETTERS, pieces
from pipelines.warehouse.linking.names import ACRONYM, KINDS, LONGEST

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from pipelines.warehouse.linking.spellings import Names

FEATURES = (
    "least_cover", "most_cover", "shared", "least_besides", "most_besides", "ratio", "partial", "sorted_words", "start",
    "acronym", "same", "other_number", "other_place", "network", "shared_own",
    "least_cover_squared", "least_cover_shared", "most_cover_shared", "most_cover_squared", "acronym_besides",
)  # fmt: skip
_OWN, _GENERIC, _PLACE, _NUMBER = (KINDS.index(kind) for kind in ("own", "generic", "place", "number"))
_WEIGHTS = {"own": 1.0, "generic": 1.0, "place": 0.4, "number": 0.5, "aside": 0.35, "acronym": 0.05}
_KIND_WEIGHT = np.array([_WEIGHTS[kind] for kind in KINDS])
_GENERIC_MOST = 0.3
_EXPLAINED = 0.05  # what remains of a word that the other name spells out
_LEAST = 0.02
_LIKE, _LIKE_LETTERS = 0.9, 80  # from where two words are one: Jaro-Winkler, and letters in common of two long ones
_DUST = 1e-9  # what rounding may add or take
_MANY = 1_000  # pairs of texts from which every processor is worth waking
_SLICE = 30_000  # pairs of names compared at a time, to bound memory


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
    """The words of names, and their weights: between 0 (everywhere) and 1 (seen once)."""

    def __init__(self, names: Names, uses: NDArray[np.int64]) -> None:
        """`uses`: how many times each name is met."""
        self._texts = names.vocabulary
        seen = np.bincount(names.words, np.repeat(uses, names.lengths), len(self._texts))
        most = math.log(uses.sum() + 1)
        rarity = np.array([max(_LEAST, (most - math.log(max(times, 1))) / most) for times in seen.tolist()])
        # one more at the end: -1, where a name has no word
        self._lengths = np.array([*map(len, self._texts), 0], dtype=np.int64)
        self._firsts = np.array([*(ord(word[0]) for word in self._texts), 0], dtype=np.int64)
        self._is_digits = np.array([*map(str.isdigit, self._texts), False], dtype=np.bool_)
        self._letters = np.array([*map(_letters, self._texts), 0], dtype=np.int64)
        # sorted words that begin with one of them follow it, up to this place
        self._ends = np.array([*(bisect_left(self._texts, f"{word}~") for word in self._texts), 0], dtype=np.int64)

        self._sizes, self._starts = names.lengths, starts(names.lengths)
        self._words, self._kinds = np.append(names.words, -1), np.append(names.kinds, np.int8(-1))
        weights = rarity[names.words] * _KIND_WEIGHT[names.kinds]
        weights = np.where(names.kinds == _GENERIC, np.minimum(weights, _GENERIC_MOST), weights)
        self._weights = np.append(weights, 0.0)
        self._is_network = names.has_network
        self._full, self._line = (np.array(texts, dtype=object) for texts in (names.full, names.lines))
        run, word = self._acronyms(names.initials)
        sizes = np.bincount(run, minlength=len(names.initials))
        name, initials = names.spelt.T
        row, at = spread(sizes[initials])
        spelt = word[starts(sizes)[initials[row]] + at]
        self._initials = np.sort(name[row] * len(self._texts) + spelt)
        self._is_initials = np.zeros(len(self._texts) + 1, dtype=np.bool_)
        self._is_initials[word] = True

    def _acronyms(self, initials: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Runs of first letters, in order, and the words that stand in each."""
        found = [(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))]
        for length in range(ACRONYM, LONGEST + 1):
            run, code = pieces(initials, length)
            words = (self._lengths[:-1] == length).nonzero()[0]  # sorted, as their numbers then are
            _, codes = pieces([self._texts[word] for word in words], length)
            is_word = is_among(code, codes)
            found.append((run[is_word], words[np.searchsorted(codes, code[is_word])]))
        run, word = (np.concatenate(part) for part in zip(*found, strict=True))
        order = np.argsort(run, kind="stable")
        return run[order], word[order]

    def compare(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
        """The values of `FEATURES` for pairs of names, a row each; the order of the two does not matter."""
        values = np.empty((len(left), len(FEATURES)))
        order = np.argsort(np.maximum(self._sizes[left], self._sizes[right]), kind="stable")  # as many words together
        for start in range(0, len(order), _SLICE):
            part = order[start : start + _SLICE]
            values[part] = self._compare(left[part], right[part])
        return values

    def _compare(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.float64]:
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
            [texts[side].tolist() for side in (left, right)] for texts in (self._full, self._line)
        )
        both = [
            ((one.kinds == kind) & one.is_besides).any(axis=1) & ((other.kinds == kind) & other.is_besides).any(axis=1)
            for kind in (_NUMBER, _PLACE)
        ]
        return np.column_stack((
            covers[0], covers[1], shared, least, np.minimum(sums.max(axis=0), 4.0),
            _alike(full, full_other, fuzz.ratio) / 100, _alike(full, full_other, fuzz.partial_ratio) / 100,
            _alike(line, line_other, fuzz.ratio) / 100, _alike(full, full_other, JaroWinkler.similarity),
            acronym, [mine == theirs for mine, theirs in zip(full, full_other, strict=True)],
            *both, self._is_network[left] | self._is_network[right], np.minimum(shared_own, 2.0),
            covers[0] ** 2, covers[0] * shared, covers[1] * shared, covers[1] ** 2, acronym * least,
        )).astype(np.float64)  # fmt: skip

    def _sides(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> tuple[_Side, _Side]:
        most = int(max(self._sizes[left].max(initial=1), self._sizes[right].max(initial=1)))
        place = np.arange(most)
        sides = []
        for names in (left, right):
            is_word = place < self._sizes[names][:, None]
            at = np.where(is_word, self._starts[names][:, None] + place, -1)
            sides.append(_Side(names, self._words[at], self._kinds[at], self._weights[at], is_word))
        return sides[0], sides[1]

    def _explain(self, side: _Side, other: _Side) -> NDArray[np.float64]:
        """How long an acronym of the other name stands among the words besides (0 to 1); they then hardly count."""
        row, at = (side.is_besides & self._is_initials[side.words] & (self._lengths[side.words] > 2)).nonzero()
        word = side.words[row, at]
        wanted = other.names[row] * len(self._texts) + word
        is_spelt = is_among(wanted, self._initials)
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
        are_worth = [
            side.is_besides & ~self._is_digits[side.words] & (self._lengths[side.words] > 3) for side in (one, other)
        ]
        row, mine, theirs = (are_worth[0][:, :, None] & are_worth[1][:, None, :]).nonzero()
        words, others = one.words[row, mine], other.words[row, theirs]
        is_worth = self._may_be_one(words, others)
        row, mine, theirs, words, others = (part[is_worth] for part in (row, mine, theirs, words, others))
        distinct, of = np.unique(words * len(self._texts) + others, return_inverse=True)
        likeness = self._likeness(*np.divmod(distinct, len(self._texts)))[of]
        order = np.lexsort((-others, -words, -likeness, row))
        order = order[likeness[order] > 0]
        return row[order], mine[order], theirs[order], likeness[order]

    def _may_be_one(self, words: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which pairs of words are worth comparing letter by letter.

        The letters that one word alone has bound how many the two have in common, hence both measures of likeness.
        """
        size, size_other = self._lengths[words], self._lengths[others]
        letters, letters_other = self._letters[words], self._letters[others]
        common = np.minimum(
            size - np.bitwise_count(letters & ~letters_other), size_other - np.bitwise_count(letters_other & ~letters)
        )
        jaro = (common / size + common / size_other + 1) / 3
        is_first = self._firsts[words] == self._firsts[others]
        winkler = np.where(is_first, jaro + 0.4 * (1 - jaro), jaro)  # four letters in front, at most, a tenth each
        is_near = (winkler >= _LIKE - _DUST) | (200 * common / (size + size_other) >= _LIKE_LETTERS - _DUST)
        is_near &= is_first | (np.abs(size - size_other) <= 1)
        is_worth: NDArray[np.bool_] = is_near | self._is_start(words, others)
        return is_worth

    def _is_start(self, words: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether one of two words begins with the other."""
        first, last = np.minimum(words, others), np.maximum(words, others)
        is_start: NDArray[np.bool_] = last < self._ends[first]
        return is_start

    def _likeness(self, words: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.float64]:
        """How alike two words are, 0 when they are not one word."""
        left, right = ([self._texts[at] for at in side] for side in (words, others))
        likeness = _alike(left, right, JaroWinkler.similarity)
        far = (~(self._is_start(words, others) | (likeness >= _LIKE))).nonzero()[0]
        ratio = _alike([left[at] for at in far], [right[at] for at in far], fuzz.ratio)
        is_long = np.minimum(self._lengths[words[far]], self._lengths[others[far]]) > 5
        likeness[far] = np.where(is_long & (ratio >= _LIKE_LETTERS), ratio / 100, 0.0)
        return likeness


def _letters(word: str) -> int:
    """The letters and digits of a word, a bit each."""
    return sum({1 << LETTERS.index(letter) for letter in word})


def _alike(left: list[str], right: list[str], scorer: Callable[..., Any]) -> NDArray[np.float64]:
    """`scorer` on texts, two by two."""
    if not left:
        return np.zeros(0)
    found: NDArray[np.float64] = cpdist(
        left, right, scorer=scorer, dtype=np.float64, workers=-1 if len(left) > _MANY else 1
    )
    return found
