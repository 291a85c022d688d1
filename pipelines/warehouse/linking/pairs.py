"""Nodes (what is known of an organisation in one place) → pairs of them with the probability that they are one."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from pipelines.warehouse.linking.candidates import candidates
from pipelines.warehouse.linking.likeness import compare, weigh
from pipelines.warehouse.linking.model import ALONE, GAP_HIGH, GAP_LOW, probability
from pipelines.warehouse.linking.names import read_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from pipelines.warehouse.linking.likeness import Weighed
    from pipelines.warehouse.linking.model import Logistic, NameModel
    from pipelines.warehouse.linking.names import Name

SPELLINGS = 8  # of one node that are compared, the most frequent first


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

    def differs(self, other: Node) -> bool:
        """True when one list numbers both, differently."""
        for scope, number in self.numbers.items():  # noqa: SIM110 - called a million times
            if other.numbers.get(scope, number) != number:
                return True
        return False

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
    """The candidates among some nodes: their best spellings' features, one row a pair."""

    pairs: list[tuple[int, int]]
    values: NDArray[np.float64]
    rivals: Callable[[int, int], bool]

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
        partners: defaultdict[int, list[tuple[float, int, int]]] = defaultdict(list)
        for row, (left, right) in enumerate(self.pairs):
            partners[left].append((float(scores[row]), right, row))
            partners[right].append((float(scores[row]), left, row))
        for found in partners.values():
            found.sort(reverse=True)
        behind = np.full((len(self.pairs), 2), alone)
        for row, (left, right) in enumerate(self.pairs):
            for side, (of, partner) in enumerate(((left, right), (right, left))):
                behind[row, side] = next(
                    (score for score, other, at in partners[of] if at != row and self.rivals(partner, other)), alone
                )
        return behind


class Spellings:
    """The names of nodes, read and weighed once."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        read = {text: read_name(text) for text in {text for node in nodes for text in node.names}}
        self.names = [_distinct(read[text] for text in node.names) for node in nodes]
        weighed = iter(weigh(name for names in self.names for name in names))
        self._weighed: list[list[Weighed]] = [[next(weighed) for _ in names] for names in self.names]

    def best(self, left: int, right: int, likeness: Logistic) -> tuple[float, ...] | None:
        """The features of the two spellings of a pair that are most alike; None when one has no name."""
        found = [compare(a, b) for a in self._weighed[left] for b in self._weighed[right]]
        if len(found) < 2:
            return found[0] if found else None
        return found[int(np.argmax(likeness.decide(np.array(found))))]


def compared(nodes: Sequence[Node], spellings: Spellings, likeness: Logistic) -> Compared:
    """The candidates among `nodes`, compared."""
    found = candidates(spellings.names, [node.scope for node in nodes], [node.communes for node in nodes])
    kept, rows = [], []
    for left, right in found:
        if nodes[left].differs(nodes[right]):
            continue
        values = spellings.best(left, right, likeness)
        if values is not None:
            kept.append((left, right))
            rows.append(values)
    values_of = np.array(rows).reshape(len(kept), len(likeness.features))
    close = {pair for pair, odds in zip(kept, likeness.decide(values_of), strict=True) if odds > 0}
    close |= {(right, left) for left, right in close}

    def rivals(one: int, other: int) -> bool:
        return (one, other) not in close or nodes[one].differs(nodes[other])

    return Compared(kept, values_of, rivals)


def score(nodes: Sequence[Node], model: NameModel, spellings: Spellings | None = None) -> list[Pair]:
    """The candidate pairs whose probability is worth an analyst's look, the likeliest first."""
    spellings = spellings or Spellings(nodes)
    found = compared(nodes, spellings, model.likeness)
    if not found.pairs:
        return []
    likeness = model.likeness.decide(found.values)
    probabilities = probability(model.link.decide(np.hstack([found.values, found.gaps(likeness)])))
    leads = found.leads(probabilities)
    network, own = (model.likeness.features.index(name) for name in ("network", "shared_own"))
    pairs = [
        Pair(left, right, round(float(p), 6), round(float(lead), 6), bool(values[network]), bool(values[own] > 0))
        for (left, right), p, lead, values in zip(found.pairs, probabilities, leads, found.values, strict=True)
        if p >= model.review
    ]
    return sorted(pairs, key=lambda pair: (-pair.probability, nodes[pair.left].key, nodes[pair.right].key))


def _distinct(names: Iterable[Name]) -> list[Name]:
    read: dict[str, Name] = {}
    for name in names:
        if name.words:
            read.setdefault(name.full, name)
    return list(read.values())[:SPELLINGS]
