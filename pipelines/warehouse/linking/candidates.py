"""Which names are worth comparing: those that share rare words, rare fragments, or an acronym and its words.

A hundred thousand names make five thousand million pairs; the few that share something rare hold nearly all the true
ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from pipelines.warehouse.linking.names import Name

FRAGMENT = 4  # letters
KEYS = 16  # the rarest keys of each node that are used
COMMON_FROM = 60  # nodes that share a key: beyond this (or a fiftieth of all, up to COMMON_TO) it tells nothing
COMMON_TO = 200
WORTH = 0.3  # of the best partner's weight: what shares less is not compared
PARTNERS = 6  # the likeliest partners of each node that are compared
NODES = 5_000  # whose keys are hashed at a time
SLICE = 25_000  # keys joined at a time, to bound memory


def candidates(
    names: Sequence[Sequence[Name]], scopes: Sequence[str | None], places: Sequence[frozenset[str]]
) -> NDArray[np.int64]:
    """Pairs of nodes to compare, (smaller, larger), sorted. Lists are by node: its names, its scope, its places.

    Two nodes of one scope are known to differ: they are never paired.
    """
    scope = pl.col("scope").rank("dense")
    nodes = pl.DataFrame(
        {"node": range(len(names)), "scope": list(scopes)}, schema={"node": pl.UInt32, "scope": pl.String}
    ).with_columns(scope=scope, is_many=scope.eq(scope.drop_nulls().mode().max()).fill_null(value=False))
    keys = _keys(names, places)
    common = min(max(COMMON_FROM, len(names) // 50), COMMON_TO)
    counts = keys.group_by("key").agg(pl.len().alias("n")).filter(pl.col("n").is_between(2, common))
    kept = (
        keys.join(counts, on="key")
        .sort("node", "n", "key")
        .filter(pl.int_range(pl.len()).over("node") < KEYS)
        .with_columns(weight=(pl.lit(float(len(names))).log() - pl.col("n").cast(pl.Float32).log()).cast(pl.Float32))
        .drop("n")
        .join(nodes, on="node")
    )
    del keys, counts
    scored = []
    # the nodes of the scope that has the most meet none of their own: one of a pair is always another
    for part in kept.filter(~pl.col("is_many")).sort("key").iter_slices(SLICE):
        pairs = part.join(kept, on="key", suffix="_other").filter(
            (pl.col("node") < pl.col("node_other")) | pl.col("is_many_other"),
            pl.col("scope").ne(pl.col("scope_other")).fill_null(value=True),
        )
        pairs = pairs.select("weight", pair=_pair("node", "node_other", of=len(names)))
        scored.append(pairs.group_by("pair").agg(pl.col("weight").sum()))
    if not scored:
        return np.zeros((0, 2), dtype=np.int64)
    total = pl.concat(scored).group_by("pair").agg(pl.col("weight").sum().round(3))
    del kept, scored
    two = total.select("weight", one=pl.col("pair") // len(names), other=pl.col("pair") % len(names))
    best = (
        pl.concat([two.rename({"one": "of", "other": "partner"}), two.select("weight", of="other", partner="one")])
        .filter(pl.col("weight") >= WORTH * pl.col("weight").max().over("of"))
        .sort("of", "weight", "partner", descending=[False, True, False])
        .filter(pl.int_range(pl.len()).over("of") < PARTNERS)
    )
    chosen = best.select(_pair("of", "partner", of=len(names))).to_series().unique().sort()
    found: NDArray[np.int64] = np.column_stack(np.divmod(chosen.to_numpy().astype(np.int64), len(names)))
    return found


def _pair(one: str, other: str, *, of: int) -> pl.Expr:
    """Two of so many nodes as one number, the smaller first: it groups and sorts far quicker than two."""
    two = (pl.col(one).cast(pl.UInt64), pl.col(other).cast(pl.UInt64))
    return pl.min_horizontal(two) * of + pl.max_horizontal(two)


def _keys(names: Sequence[Sequence[Name]], places: Sequence[frozenset[str]]) -> pl.DataFrame:
    """The distinct keys of each node, as hashes: a hundred thousand names have four million."""
    parts = [pl.DataFrame(schema={"node": pl.UInt32, "key": pl.UInt64})]
    for start in range(0, len(names), NODES):
        some = range(start, min(start + NODES, len(names)))
        whole = [(node, name.full) for node in some for name in names[node]]
        told = [(node, key) for node in some for name in names[node] for key in _keys_of(name, places[node])]
        fragments = pl.int_ranges(0, pl.col("full").str.len_chars().cast(pl.Int64) - FRAGMENT + 1)
        cut = (
            pl.DataFrame(whole, schema={"node": pl.UInt32, "full": pl.String}, orient="row")
            .with_columns(start=fragments)
            .explode("start", empty_as_null=False)
            .select("node", key=pl.format("#{}", pl.col("full").str.slice("start", FRAGMENT)))
        )
        both = pl.concat([cut, pl.DataFrame(told, schema={"node": pl.UInt32, "key": pl.String}, orient="row")])
        parts.append(both.with_columns(pl.col("key").hash(seed=0)).unique())
    return pl.concat(parts)


def _keys_of(name: Name, places: frozenset[str]) -> list[str]:
    """The keys of a name besides the fragments of it."""
    found = [f"@{letters}" for letters in name.initials if len(letters) <= 6]
    found += [f"@{word}" for word, _ in name.words if 3 <= len(word) <= 6]
    found += [word for word, kind in name.words if kind != "number"]
    return [*found, *(f"={name.full} {place}" for place in places), f"={name.full}"]
