"""Nodes (what is known of an organisation in one place) → pairs of them with the probability that they are one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from pipelines.warehouse.linking.candidates import candidates
from pipelines.warehouse.linking.likeness import Weighed
from pipelines.warehouse.linking.model import ALONE, GAP_HIGH, GAP_LOW, probability
from pipelines.warehouse.linking.names import read_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from pipelines.warehouse.linking.model import Logistic, NameModel
    from pipelines.warehouse.linking.names import Name

SPELLINGS = 8  # of one node that are compared, the most frequent first
SLICE = 20_000  # spellings compared at a time, to bound memory


@dataclass(frozen=True)
class Node:
    """One organisation as far as identifiers tell.

    `names`: as written, the most frequent first. `numbers`: its identifier in each scope that gives one to each body
    (`siren`, `rna`, a funder's own list). `communes`, `departements`: codes of its seats. `areas`: départements of the
    funders that know no seat of it. `funders`: who knows it.
    """

    key: str
    names: tuple[str, ...]
    numbers: Mapping[str, str] = field(default_factory=dict)
    communes: frozenset[str] = frozenset()
    departements: frozenset[str] = frozenset()
    areas: frozenset[str] = frozenset()
    funders: frozenset[str] = frozenset()

    @property
    def scope(self) -> str | None:
        """The list that first says who it is."""
        order = ("siren", "rna")
        return next((scope for scope in (*order, *sorted(self.numbers)) if scope in self.numbers), None)


@dataclass(frozen=True)
class Pair:
    """Two nodes by their places in the list, `left` < `right`. `lead`: how much likelier than its best rival."""

    left: int
    right: int
    probability: float
    lead: float
    has_network: bool
    has_own_words: bool


@dataclass
class Compared:
    """The candidates among some nodes: `pairs`, two places in the list a row; their best spellings' features, likewise.

    `rivals`: for nodes two by two, whether both claim one partner and cannot both be it.
    """

    pairs: NDArray[np.int64]
    values: NDArray[np.float64]
    rivals: Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.bool_]]

    def gaps(self, likeness: NDArray[np.float64]) -> NDArray[np.float64]:
        """How far each pair is ahead of the best rival of either node: the least and the most, in log-odds."""
        behind = self._behind(likeness, ALONE)
        ahead: NDArray[np.float64] = np.clip(likeness[:, None] - behind, GAP_LOW, GAP_HIGH)
        ahead.sort(axis=1)
        return ahead

    def leads(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """The least distance to a rival, in probability."""
        leads: NDArray[np.float64] = (probabilities[:, None] - self._behind(probabilities, 0.0)).min(axis=1)
        return leads

    def _behind(self, scores: NDArray[np.float64], alone: float) -> NDArray[np.float64]:
        """The score of the best rival of a pair for its left node and for its right one, else `alone`."""
        of, partner = self.pairs.ravel(), self.pairs[:, ::-1].ravel()
        row, score = np.arange(of.size) // 2, np.repeat(scores, 2)
        order = np.lexsort((-row, -partner, -score, of))
        cursor, end = (np.searchsorted(of[order], of, side=side) for side in ("left", "right"))
        behind = np.full(of.size, alone)
        waiting = np.arange(of.size)
        while waiting.size:  # each looks at the partners of its node, the likeliest first, until one is a rival
            at = order[cursor[waiting]]
            is_found = (row[at] != row[waiting]) & self.rivals(partner[waiting], partner[at])
            behind[waiting[is_found]] = score[at[is_found]]
            waiting = waiting[~is_found]
            cursor[waiting] += 1
            waiting = waiting[cursor[waiting] < end[waiting]]
        return behind.reshape(-1, 2)


class Numbers:
    """The identifiers of nodes, list by list."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        told = [(place, *number) for place, node in enumerate(nodes) for number in sorted(node.numbers.items())]
        self._scopes = 1 + len({scope for _, scope, _ in told})
        scopes = {scope: at for at, scope in enumerate(sorted({scope for _, scope, _ in told}))}
        numbers = {number: at for at, number in enumerate({number for _, _, number in told})}
        self._codes = np.array([place * self._scopes + scopes[scope] for place, scope, _ in told], dtype=np.int64)
        self._numbers = np.array([numbers[number] for _, _, number in told], dtype=np.int64)
        self._sizes = np.array([len(node.numbers) for node in nodes], dtype=np.int64)
        self._starts = np.cumsum(self._sizes) - self._sizes

    def differ(self, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.bool_]:
        """For nodes two by two, whether one list numbers both, differently."""
        if not self._codes.size:
            return np.zeros(len(left), dtype=np.bool_)
        row, at = _spread(self._sizes[left])
        at += self._starts[left[row]]
        wanted = right[row] * self._scopes + self._codes[at] % self._scopes
        found = np.minimum(np.searchsorted(self._codes, wanted), len(self._codes) - 1)
        is_other = (self._codes[found] == wanted) & (self._numbers[found] != self._numbers[at])
        return np.bincount(row, is_other, len(left)) > 0


class Spellings:
    """The names of nodes, read and weighed once."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        read = {text: read_name(text) for text in {text for node in nodes for text in node.names}}
        self.names = [_distinct(read[text] for text in node.names) for node in nodes]
        self._weighed = Weighed([name for names in self.names for name in names])
        self._sizes = np.array([len(names) for names in self.names], dtype=np.int64)
        self._starts = np.cumsum(self._sizes) - self._sizes

    def best(self, pairs: NDArray[np.int64], likeness: Logistic) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Which rows of `pairs` have two names, and the features of their two spellings that are most alike."""
        sizes = self._sizes[pairs].prod(axis=1)
        parts = np.cumsum(sizes) // SLICE
        found = [self._best(pairs[part], likeness) for part in _runs(parts)]
        values = np.concatenate([np.zeros((0, len(likeness.features))), *found])
        return sizes.nonzero()[0], values

    def _best(self, pairs: NDArray[np.int64], likeness: Logistic) -> NDArray[np.float64]:
        left, right = pairs.T
        row, at = _spread(self._sizes[left] * self._sizes[right])
        one, other = np.divmod(at, self._sizes[right[row]])
        values = self._weighed.compare(self._starts[left[row]] + one, self._starts[right[row]] + other)
        order = np.lexsort((at, -likeness.decide(values), row))
        best: NDArray[np.float64] = values[order[np.append(True, np.diff(row[order]) > 0)[: len(order)]]]
        return best


def compared(nodes: Sequence[Node], spellings: Spellings, likeness: Logistic) -> Compared:
    """The candidates among `nodes`, compared."""
    numbers = Numbers(nodes)
    pairs = candidates(spellings.names, [node.scope for node in nodes], [node.communes for node in nodes])
    pairs = pairs[~numbers.differ(*pairs.T)]
    kept, values = spellings.best(pairs, likeness)
    pairs = pairs[kept]
    left, right = pairs[likeness.decide(values) > 0].T
    close = np.sort(np.concatenate([left * len(nodes) + right, right * len(nodes) + left]))

    def rivals(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.bool_]:
        is_far: NDArray[np.bool_] = ~np.isin(one * len(nodes) + other, close)
        return is_far | numbers.differ(one, other)

    return Compared(pairs, values, rivals)


def score(nodes: Sequence[Node], model: NameModel, spellings: Spellings | None = None) -> list[Pair]:
    """The candidate pairs whose probability is worth an analyst's look, the likeliest first."""
    spellings = spellings or Spellings(nodes)
    found = compared(nodes, spellings, model.likeness)
    if not found.pairs.size:
        return []
    likeness = model.likeness.decide(found.values)
    probabilities = probability(model.link.decide(np.hstack([found.values, found.gaps(likeness)])))
    leads = found.leads(probabilities)
    network, own = (model.likeness.features.index(name) for name in ("network", "shared_own"))
    pairs = [
        Pair(
            left=int(found.pairs[row, 0]),
            right=int(found.pairs[row, 1]),
            probability=round(float(probabilities[row]), 6),
            lead=round(float(leads[row]), 6),
            has_network=bool(found.values[row, network]),
            has_own_words=bool(found.values[row, own] > 0),
        )
        for row in (probabilities >= model.review).nonzero()[0]
    ]
    return sorted(pairs, key=lambda pair: (-pair.probability, nodes[pair.left].key, nodes[pair.right].key))


def _distinct(names: Iterable[Name]) -> list[Name]:
    read: dict[str, Name] = {}
    for name in names:
        if name.words:
            read.setdefault(name.full, name)
    return list(read.values())[:SPELLINGS]


def _spread(sizes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """So many elements of each row: the row of each, and its place in it."""
    row = np.repeat(np.arange(len(sizes)), sizes)
    return row, np.arange(len(row)) - np.repeat(np.cumsum(sizes) - sizes, sizes)


def _runs(parts: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """The places of equal neighbours, run by run."""
    return np.split(np.arange(len(parts)), np.diff(parts).nonzero()[0] + 1) if len(parts) else []
