"""Which names are worth comparing: those that share rare words, rare fragments, or an acronym and its words.

A hundred thousand names make five thousand million pairs; the few that share something rare hold nearly all the true
ones.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from pipelines.warehouse.linking.arrays import distinct, rank
from pipelines.warehouse.linking.keys import MILLIONTHS, rarest_keys

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipelines.warehouse.linking.spellings import Spellings

WORTH = 0.3  # of the best partner's weight: what shares less is not compared
PARTNERS = 6  # the likeliest partners of each node that are compared
SLICE = 25_000  # keys joined at a time, about, to bound memory
_THOUSANDTHS = 1_000


def candidates(spellings: Spellings, scopes: NDArray[np.int64], places: pl.Series) -> NDArray[np.int64]:
    """Pairs of nodes to compare, (smaller, larger), sorted.

    By node: `scopes`, its list (-1: none); `places`, the list of its places.
    Two nodes of one scope are known to differ: they are never paired.
    """
    n_nodes = len(scopes)
    pair, thousandths = _shared(rarest_keys(spellings, places), scopes)
    one, other = np.divmod(pair, n_nodes)
    best = np.zeros(n_nodes, dtype=np.int64)
    for side in (one, other):
        np.maximum.at(best, side, thousandths)
    # by node, its partners, what shares the most first: one number sorts quicker than three
    most = int(thousandths.max(initial=0)) + 1
    codes = []
    for of, partner in ((one, other), (other, one)):
        is_worth = thousandths >= WORTH * best[of]
        codes.append(((of[is_worth] + 1) * most - thousandths[is_worth] - 1) * n_nodes + partner[is_worth])
    code = np.sort(np.concatenate(codes))
    del one, other, thousandths, codes
    rest, partner = np.divmod(code, max(n_nodes, 1))
    of = rest // most
    is_kept = rank(of) < PARTNERS
    of, partner = of[is_kept], partner[is_kept]
    chosen = distinct(np.minimum(of, partner) * n_nodes + np.maximum(of, partner))
    found: NDArray[np.int64] = np.column_stack(np.divmod(chosen, max(n_nodes, 1)))
    return found


def _shared(keys: pl.DataFrame, scopes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of nodes that share keys, as one number each, and what they share weighs, in thousandths."""
    n_nodes = len(scopes)
    sizes = np.bincount(scopes[scopes >= 0], minlength=1)
    many = len(sizes) - 1 - int(np.argmax(sizes[::-1]))  # the scope that has the most nodes
    of = pl.Series(scopes).gather(keys["node"])
    kept = keys.with_columns(scope=of.cast(pl.Int32), is_many=of == many)
    # the nodes of that scope meet none of their own: one of a pair is always another
    few = kept.filter(~pl.col("is_many"))
    nodes = few["node"].to_numpy()  # sorted: all that a node shares is added up at once
    bounds = [*distinct(np.searchsorted(nodes, nodes[::SLICE])).tolist(), len(nodes)]
    scored = [pl.DataFrame(schema={"pair": pl.Int64, "weight": pl.Int64})]
    for start, end in pairwise(bounds):
        part = few[start:end].join(kept, on="key", suffix="_other")
        pairs = part.filter(
            (pl.col("node") < pl.col("node_other")) | pl.col("is_many_other"),
            (pl.col("scope") != pl.col("scope_other")) | (pl.col("scope") < 0),
        ).select("weight", pair=_pair("node", "node_other", of=n_nodes))
        scored.append(pairs.group_by("pair").agg(pl.col("weight").sum()))
    total = pl.concat(scored)
    thousandths = np.rint(total["weight"].to_numpy() * (_THOUSANDTHS / MILLIONTHS)).astype(np.int64)
    return total["pair"].to_numpy(), thousandths


def _pair(one: str, other: str, *, of: int) -> pl.Expr:
    """Two of so many nodes as one number, the smaller first: it groups and sorts far quicker than two."""
    two = (pl.col(one).cast(pl.Int64), pl.col(other).cast(pl.Int64))
    return pl.min_horizontal(two) * of + pl.max_horizontal(two)
