"""What names may share: rare words, fragments of them, acronyms, the whole name, the whole name in one place.

A hundred thousand names have four million keys: they are numbers, and written out only where two nodes share one.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipelines.warehouse.linking.arrays import distinct, rank, spread, starts
from pipelines.warehouse.linking.letters import LETTERS, pieces, written
from pipelines.warehouse.linking.names import ACRONYM, KINDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from pipelines.warehouse.linking.spellings import Spellings

FRAGMENT = 4  # letters
LONGEST_ACRONYM = 6
KEYS = 16  # the rarest keys of each node that are used
COMMON_FROM = 60  # nodes that share a key: beyond this (or a fiftieth of all, up to COMMON_TO) it tells nothing
COMMON_TO = 200
NODES = 20_000  # whose keys are made at a time, to bound memory
MILLIONTHS = 1_000_000
_FRAGMENTS: int = len(LETTERS) ** FRAGMENT
_LOWER_HALF = (1 << 32) - 1
_LENGTHS = 16  # more than there are
_NUMBER = KINDS.index("number")


class _Keys:
    """The keys of names, numbered: fragments, then words, acronyms, whole names, whole names in a place."""

    def __init__(self, spellings: Spellings, places: pl.Series) -> None:
        self._spellings = spellings
        self._names = names = spellings.names
        self._node = np.repeat(np.arange(len(spellings.sizes)), spellings.sizes)
        self._whole: dict[str, int] = {}
        self._words_from = _FRAGMENTS
        self._acronyms_from = self._words_from + len(names.vocabulary)
        told = list(self._of_names())
        self._whole_from = self._acronyms_from + len(self._acronyms)
        self._whole_of = np.array(
            [self._whole.setdefault(full, len(self._whole)) for full in names.full], dtype=np.int64
        )
        told.append((np.arange(len(names.full)), self._whole_of + self._whole_from))
        self._placed_from = self._whole_from + len(self._whole)
        self._of_places = self._in_places(places)
        self.number = self._placed_from + len(self._placed)
        of, self._told = (np.concatenate(part) for part in zip(*told, strict=True))
        self._told = np.sort(of << 32 | self._told) & _LOWER_HALF
        self._sizes = np.bincount(of, minlength=len(names.full))
        self._starts = starts(self._sizes)

    def _of_names(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Names, and the keys of their words and acronyms."""
        names = self._names
        of = np.repeat(np.arange(len(names.lengths)), names.lengths)
        is_word = names.kinds != _NUMBER
        yield of[is_word], names.words[is_word] + self._words_from
        # words and runs of first letters that may be acronyms: a length and a number each
        lengths = np.array([*map(len, names.vocabulary)], dtype=np.int64)
        found = []
        for length in range(ACRONYM, LONGEST_ACRONYM + 1):
            words = (lengths == length).nonzero()[0]
            told = pieces([names.vocabulary[word] for word in words], length)[1]
            place = np.full(len(lengths), -1, dtype=np.int64)
            place[words] = told
            code = place[names.words]
            found.append((of[code >= 0], code[code >= 0] * _LENGTHS + length))
            run, code = pieces(names.initials, length)
            sizes = np.bincount(run, minlength=len(names.initials))
            name, initials = names.spelt.T
            row, at = spread(sizes[initials])
            found.append((name[row], code[starts(sizes)[initials[row]] + at] * _LENGTHS + length))
        of, codes = (np.concatenate(part) for part in zip(*found, strict=True))
        self._acronyms = distinct(codes)
        yield of, np.searchsorted(self._acronyms, codes) + self._acronyms_from

    def _in_places(self, places: pl.Series) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Nodes and their whole names in each of their places."""
        placed = pl.DataFrame({"place": places}).with_row_index("node").explode("place").drop_nulls()
        self._where = placed["place"].unique().sort()
        where = placed["place"].rank("dense").to_numpy().astype(np.int64) - 1
        sizes = np.bincount(placed["node"].to_numpy(), minlength=len(places))
        row, at = spread(sizes[self._node])
        whole = self._whole_of[self._spellings.borne[row]]
        both = whole * max(len(self._where), 1) + where[starts(sizes)[self._node[row]] + at]
        self._placed, key = np.unique(both, return_inverse=True)
        return self._node[row], key + self._placed_from

    def of_nodes(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Nodes and their keys, some nodes at a time; some more than once."""
        yield self._of_places
        borne, sizes = self._spellings.borne, self._spellings.sizes
        ends = np.cumsum(sizes)
        for start in range(0, len(ends), NODES):
            some = slice(int(ends[start] - sizes[start]), int(ends[min(start + NODES, len(ends)) - 1]))
            yield self._of_some(borne[some], self._node[some])

    def _of_some(
        self, names: NDArray[np.int64], nodes: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Nodes and the keys of their names, places apart."""
        row, at = spread(self._sizes[names])
        told = self._told[self._starts[names[row]] + at]
        texts = [self._names.full[name] for name in names.tolist()]
        of, cut = pieces(texts, FRAGMENT)
        return np.concatenate([nodes[row], nodes[of]]), np.concatenate([told, cut])

    def texts(self, keys: NDArray[np.int64]) -> list[str]:
        """Keys, as texts."""
        words, whole = self._names.vocabulary, list(self._whole)
        where: list[str] = self._where.to_list()

        def write(key: int) -> str:
            if key < self._words_from:
                return f"#{written(key, FRAGMENT)}"
            if key < self._acronyms_from:
                return words[key - self._words_from]
            if key < self._whole_from:
                code, length = divmod(int(self._acronyms[key - self._acronyms_from]), _LENGTHS)
                return f"@{written(code, length)}"
            if key < self._placed_from:
                return f"={whole[key - self._whole_from]}"
            name, place = divmod(int(self._placed[key - self._placed_from]), len(where))
            return f"={whole[name]} {where[place]}"

        return [write(key) for key in keys.tolist()]


def _each_once(nodes: NDArray[np.int64], keys: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Pairs of a node and a key, sorted, each once."""
    both = distinct(nodes << 32 | keys)
    return (both >> 32).astype(np.int32), both.astype(np.int32)  # the latter keeps the lower half


def rarest_keys(spellings: Spellings, places: pl.Series) -> pl.DataFrame:
    """`node`, `key`, `weight`: the rarest keys that each node shares with others, what is rarer weighing more. By node.

    Weights are whole numbers of millionths: what they add up to owes nothing to the order.
    `places`: the list of each node's places. The order of keys owes nothing to the alphabet: where a node has too many
    as rare as each other, those that are kept are drawn, the same at every run.
    """
    found = _Keys(spellings, places)
    most = min(max(COMMON_FROM, len(spellings.sizes) // 50), COMMON_TO)
    shared = np.zeros(found.number, dtype=np.int64)
    parts = []
    for of, told in found.of_nodes():
        is_rare = shared[told] <= most  # those that too many have been met with are not looked at again
        parts.append(_each_once(of[is_rare], told[is_rare]))
        shared += np.bincount(parts[-1][1], minlength=len(shared))
    is_telling = (shared >= 2) & (shared <= most)
    nodes, keys = (np.concatenate([part[at][is_telling[part[1]]] for part in parts]).astype(np.int64) for at in (0, 1))
    telling = is_telling.nonzero()[0]
    drawn = pl.Series(found.texts(telling), dtype=pl.String).hash(seed=0).arg_sort().to_numpy()
    del found, parts
    place = np.zeros(len(shared), dtype=np.int64)
    place[telling[drawn]] = np.arange(len(drawn))
    # node, how many share the key, the key: one number sorts quicker than three
    code = np.sort((nodes * (most + 1) + shared[keys]) * len(drawn) + place[keys])
    rest, key = np.divmod(code, max(len(drawn), 1))
    node, n = np.divmod(rest, most + 1)
    rarity = math.log(max(len(spellings.sizes), 1)) - np.log(np.arange(1, most + 1))
    weights = np.rint(rarity * MILLIONTHS).astype(np.int64)
    is_kept = rank(node) < KEYS
    columns = {"node": node.astype(np.uint32), "key": key.astype(np.uint32), "weight": weights[n - 1]}
    return pl.DataFrame({name: column[is_kept] for name, column in columns.items()})
