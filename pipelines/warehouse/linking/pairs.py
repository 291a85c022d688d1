"""Nodes (what is known of an organisation in one place) → pairs of them with the probability that they are one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from pipelines.warehouse.linking.arrays import distinct, is_among, spread, starts
from pipelines.warehouse.linking.candidates import candidates
from pipelines.warehouse.linking.likeness import Weighed
from pipelines.warehouse.linking.model import ALONE, GAP_HIGH, GAP_LOW, probability
from pipelines.warehouse.linking.nodes import Numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import polars as pl
    from numpy.typing import NDArray

    from pipelines.warehouse.linking.model import Logistic, NameModel
    from pipelines.warehouse.linking.spellings import Spellings

_DUST = 1e-9  # what rounding may add or take
SLICE = 1_000_000  # pairs of names compared at a time, to bound memory


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
class Likest:
    """For some pairs of nodes, the features of their two names that are most alike: row `of` of `values`, each once."""

    values: NDArray[np.float64]
    of: NDArray[np.int64]


class Named:
    """The names of nodes, weighed."""

    def __init__(self, spellings: Spellings) -> None:
        self.spellings = spellings
        self._weighed = Weighed(spellings.names, spellings.uses())
        self._starts = starts(spellings.sizes)

    def likest(self, pairs: NDArray[np.int64], likeness: Logistic) -> Likest:
        """The names most alike of pairs of nodes, two places a row, that have both a name."""
        sizes = self.spellings.sizes[pairs].prod(axis=1)
        parts = np.cumsum(sizes) // SLICE
        values, of, known = [np.zeros((0, len(likeness.features)))], [np.zeros(0, dtype=np.int64)], 0
        for part in np.split(pairs, np.diff(parts).nonzero()[0] + 1):
            found = self._likest(part, likeness)
            values.append(found.values)
            of.append(found.of + known)
            known += len(found.values)
        return Likest(np.concatenate(values), np.concatenate(of))

    def _likest(self, pairs: NDArray[np.int64], likeness: Logistic) -> Likest:
        left, right = pairs.T
        sizes, borne = self.spellings.sizes, self.spellings.borne
        n_names = len(self.spellings.names.full)
        row, at = spread(sizes[left] * sizes[right])
        one, other = np.divmod(at, sizes[right[row]])
        names, names_other = borne[self._starts[left[row]] + one], borne[self._starts[right[row]] + other]
        told, of = np.unique(names * n_names + names_other, return_inverse=True)
        values = self._weighed.compare(*np.divmod(told, n_names))
        order = np.lexsort((at, -likeness.decide(values)[of], row))
        best, of = np.unique(of[order[np.append(True, np.diff(row[order]) > 0)[: len(order)]]], return_inverse=True)
        return Likest(values[best], of)


@dataclass
class Compared:
    """The candidates among some nodes: `pairs`, two places in the list a row, sorted; the features of their names.

    `odds`: how alike the names are, in log-odds. `rivals`: for nodes two by two, whether both claim one partner and
    cannot both be it.
    """

    pairs: NDArray[np.int64]
    likest: Likest
    odds: NDArray[np.float64]
    rivals: Callable[[NDArray[np.int64], NDArray[np.int64]], NDArray[np.bool_]]

    def values(self) -> NDArray[np.float64]:
        """The features of each pair."""
        return self.likest.values[self.likest.of]

    def gaps(self, odds: NDArray[np.float64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """How far some pairs are ahead of the best rival of either node: the least and the most, in log-odds."""
        return _ahead(odds[rows], self._behind(odds, ALONE, rows))

    def most_gaps(self) -> NDArray[np.float64]:
        """What `gaps` cannot exceed: as far ahead as of the least likely partner of either node."""
        least = np.full(int(self.pairs.max(initial=0)) + 1, ALONE)
        for nodes in self.pairs.T:
            np.minimum.at(least, nodes, self.odds)
        return _ahead(self.odds, least[self.pairs])

    def leads(self, probabilities: NDArray[np.float64], rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """The least distance of some pairs to a rival, in probability."""
        leads: NDArray[np.float64] = (probabilities[rows, None] - self._behind(probabilities, 0.0, rows)).min(axis=1)
        return leads

    def _behind(self, scores: NDArray[np.float64], alone: float, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """The score of the best rival of some pairs for their left node and for their right one, else `alone`."""
        of, partner = self.pairs.ravel(), self.pairs[:, ::-1].ravel()
        is_wanted = np.zeros(int(of.max(initial=0)) + 1, dtype=np.bool_)
        is_wanted[self.pairs[rows]] = True
        # by node, its partners, the likeliest first
        order = is_wanted[of].nonzero()[0]
        order = order[np.lexsort((-partner[order], -scores[order // 2], of[order]))]
        sizes = np.bincount(of[order], minlength=len(is_wanted))
        begins = starts(sizes)
        behind = np.full(2 * len(rows), alone)
        pair = np.repeat(rows, 2)
        own, other = self.pairs[rows].ravel(), self.pairs[rows][:, ::-1].ravel()
        cursor, end = begins[own], begins[own] + sizes[own]
        waiting = np.arange(len(behind))
        while waiting.size:  # each looks at the partners of its node until one is a rival
            at = order[cursor[waiting]]
            is_found = at // 2 != pair[waiting]
            is_found[is_found] = self.rivals(other[waiting[is_found]], partner[at[is_found]])
            behind[waiting[is_found]] = scores[at[is_found] // 2]
            waiting = waiting[~is_found]
            cursor[waiting] += 1
            waiting = waiting[cursor[waiting] < end[waiting]]
        return behind.reshape(-1, 2)


def _ahead(odds: NDArray[np.float64], behind: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far pairs are ahead of what is behind them on either side: the least and the most."""
    ahead: NDArray[np.float64] = np.clip(odds[:, None] - behind, GAP_LOW, GAP_HIGH)
    ahead.sort(axis=1)
    return ahead


def compared(nodes: pl.DataFrame, named: Named, likeness: Logistic) -> Compared:
    """The candidates among `nodes` (a frame of `NODES`), compared."""
    numbers = Numbers(nodes["numbers"])
    pairs = candidates(named.spellings, numbers.scopes, nodes["communes"])
    pairs = pairs[~numbers.differ(*pairs.T)]
    likest = named.likest(pairs, likeness)
    odds = likeness.decide(likest.values)[likest.of]
    left, right = pairs[odds > 0].T
    close = np.sort(np.concatenate([left * len(nodes) + right, right * len(nodes) + left]))

    def rivals(one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.bool_]:
        is_rival = ~is_among(one * len(nodes) + other, close)
        near = (~is_rival).nonzero()[0]
        is_rival[near] = numbers.differ(one[near], other[near])
        return is_rival

    return Compared(pairs, likest, odds, rivals)


def score(found: Compared, keys: pl.Series, model: NameModel) -> list[Pair]:
    """The candidates whose probability is worth an analyst's look, the likeliest first. `keys`: those of the nodes."""
    values, of = found.likest.values, found.likest.of
    n_features = values.shape[1]
    weights = model.link.weights[n_features:]
    # most pairs would not be worth a look however far ahead they were
    most = np.where(weights > 0, found.most_gaps(), GAP_LOW) @ weights
    alone = values @ model.link.weights[:n_features] + model.link.intercept
    rows = (probability(alone[of] + most) >= model.review - _DUST).nonzero()[0]
    probabilities = np.zeros(len(of))  # of the others: a rival that is not worth a look is none
    told = np.hstack([values[of[rows]], found.gaps(found.odds, rows)])
    probabilities[rows] = probability(model.link.decide(told))
    rows = (probabilities >= model.review).nonzero()[0]
    leads = found.leads(probabilities, rows)
    network, own = (model.likeness.features.index(name) for name in ("network", "shared_own"))
    told = values[of[rows]]
    columns = (
        *found.pairs[rows].T, probabilities[rows], leads, told[:, network] > 0, told[:, own] > 0,
    )  # fmt: skip
    pairs = [
        Pair(left, right, round(likely, 6), round(lead, 6), has_network, has_own_words)
        for left, right, likely, lead, has_network, has_own_words in zip(*(c.tolist() for c in columns), strict=True)
    ]
    at = distinct(found.pairs[rows].ravel())
    key = dict(zip(at.tolist(), keys.gather(at), strict=True))
    return sorted(pairs, key=lambda pair: (-pair.probability, key[pair.left], key[pair.right]))


class Alike:
    """Whether names alone say that nodes may be one: known of the candidates, asked of other pairs."""

    def __init__(self, named: Named, found: Compared, model: NameModel) -> None:
        self._named, self._model, self._found = named, model, found
        self._n_nodes = len(named.spellings.sizes)
        self._codes = found.pairs[:, 0] * self._n_nodes + found.pairs[:, 1]

    def all(self, pairs: Sequence[tuple[int, int]]) -> bool:
        """Whether each of `pairs` is likely enough for an analyst to be asked."""
        wanted = np.array(pairs)
        code = wanted.min(axis=1) * self._n_nodes + wanted.max(axis=1)
        at = np.minimum(np.searchsorted(self._codes, code), len(self._codes) - 1)
        is_known = self._codes[at] == code
        odds = self._found.odds[at[is_known]]
        if not is_known.all():
            asked = self._named.likest(wanted[~is_known], self._model.likeness).values
            odds = np.concatenate([odds, self._model.likeness.decide(asked)])
        return bool((probability(odds) >= self._model.review).all())
