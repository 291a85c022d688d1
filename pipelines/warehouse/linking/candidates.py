"""Which names are worth comparing: those that share rare words, rare fragments, or an acronym and its words.

A hundred thousand names make five thousand million pairs; the few that share something rare hold nearly all the true
ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.warehouse.linking.names import Name

FRAGMENT = 4  # letters
KEYS = 16  # the rarest keys of each node that are used
COMMON_FROM = 60  # nodes that share a key: beyond this (or a fiftieth of all, up to COMMON_TO) it tells nothing
COMMON_TO = 200
WORTH = 0.3  # of the best partner's weight: what shares less is not compared
PARTNERS = 6  # the likeliest partners of each node that are compared
NODES = 5_000  # whose keys are hashed at a time
SLICE = 100_000  # keys joined at a time, to bound memory


def candidates(
    names: Sequence[Sequence[Name]], scopes: Sequence[str | None], places: Sequence[frozenset[str]]
) -> list[tuple[int, int]]:
    """Pairs of nodes to compare, (smaller, larger), sorted. Lists are by node: its names, its scope, its places.

    Two nodes of one scope are known to differ: they are never paired.
    """
    keys = _keys(names, places).join(
        pl.DataFrame(
            {"node": range(len(names)), "scope": list(scopes)}, schema={"node": pl.UInt32, "scope": pl.String}
        ),
        on="node",
    )
    common = min(max(COMMON_FROM, len(names) // 50), COMMON_TO)
    counts = keys.group_by("key").agg(pl.len().alias("n")).filter(pl.col("n").is_between(2, common))
    kept = (
        keys.join(counts, on="key")
        .sort("node", "n", "key")
        .filter(pl.int_range(pl.len()).over("node") < KEYS)
        .with_columns(weight=(pl.lit(float(len(names))).log() - pl.col("n").cast(pl.Float32).log()).cast(pl.Float32))
        .drop("n")
    )
    scored = []
    for part in kept.sort("key").iter_slices(SLICE):
        pairs = part.join(kept, on="key", suffix="_other")
        different = pl.col("scope").ne(pl.col("scope_other")).fill_null(True)
        pairs = pairs.filter(pl.col("node") < pl.col("node_other"), different)
        scored.append(pairs.group_by("node", "node_other").agg(pl.col("weight").sum()))
    if not scored:
        return []
    total = pl.concat(scored).group_by("node", "node_other").agg(pl.col("weight").sum().round(3))
    both = pl.concat(
        [
            total.select("node", "node_other", "weight", of="node", partner="node_other"),
            total.select("node", "node_other", "weight", of="node_other", partner="node"),
        ]
    )
    best = both.sort("of", "weight", "partner", descending=[False, True, False]).filter(
        pl.int_range(pl.len()).over("of") < PARTNERS, pl.col("weight") >= WORTH * pl.col("weight").max().over("of")
    )
    return [(i, j) for i, j in best.select("node", "node_other").unique().sort("node", "node_other").iter_rows()]


def _keys(names: Sequence[Sequence[Name]], places: Sequence[frozenset[str]]) -> pl.DataFrame:
    """The distinct keys of each node, as hashes: a hundred thousand names have four million."""
    parts = [pl.DataFrame(schema={"node": pl.UInt32, "key": pl.UInt64})]
    for start in range(0, len(names), NODES):
        nodes: list[int] = []
        keys: list[str] = []
        for node in range(start, min(start + NODES, len(names))):
            found: set[str] = set()
            for name in names[node]:
                found |= _keys_of(name, places[node])
            nodes += [node] * len(found)
            keys += found
        part = pl.DataFrame({"node": nodes, "key": keys}, schema={"node": pl.UInt32, "key": pl.String})
        parts.append(part.with_columns(pl.col("key").hash(seed=0)))
    return pl.concat(parts).sort("node", "key")


def _keys_of(name: Name, places: frozenset[str]) -> set[str]:
    full = name.full
    found = {f"#{full[start : start + FRAGMENT]}" for start in range(len(full) - FRAGMENT + 1)}
    found |= {f"@{letters}" for letters in name.initials if len(letters) <= 6}
    found |= {f"@{word}" for word, _ in name.words if 3 <= len(word) <= 6}
    found |= {word for word, kind in name.words if kind != "number"}
    return found | {f"={full} {place}" for place in places} | {f"={full}"}
