"""Likely pairs → what is linked without asking, and what an analyst is asked.

A link needs more than a probability: it must be ahead of every rival, something must tie the two places together (the
figures were measured inside one city), and it may not make one of two bodies that some list tells apart. A network's
name, or one made only of words that many bear, is tied by the commune alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.warehouse.linking.groups import Groups
from pipelines.warehouse.linking.pairs import Alike, Named, compared, score
from pipelines.warehouse.linking.spellings import Spellings

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import polars as pl

    from pipelines.warehouse.linking.model import NameModel
    from pipelines.warehouse.linking.pairs import Pair


_APART = ("elsewhere", "other_commune")


@dataclass(frozen=True)
class Verdict:
    """What became of a likely pair. `reason` is null when it is linked, else a code of `link_review_reason`."""

    left: int
    right: int
    probability: float
    reason: str | None


@dataclass(frozen=True)
class _Where:
    """What ties a node to a place: columns of `NODES`."""

    communes: frozenset[str]
    departements: frozenset[str]
    areas: frozenset[str]
    funders: frozenset[str]


def link(nodes: pl.DataFrame, model: NameModel, *, apart: Iterable[tuple[int, int]] = ()) -> list[Verdict]:
    """The pairs of `nodes` (a frame of `NODES`) worth linking or asking about, the likeliest first.

    `apart`: pairs decided different.
    """
    named = Named(Spellings(nodes["names"]))
    found = compared(nodes, named, model.likeness)
    pairs = score(found, nodes["key"], model)
    alike = Alike(named, found, model)
    at = sorted({place for pair in pairs for place in (pair.left, pair.right)})
    some = nodes[at]
    places = some.select("communes", "departements", "areas", "funders").iter_rows()
    where = {
        number: _Where(*(frozenset(codes or ()) for codes in place)) for number, place in zip(at, places, strict=True)
    }
    numbers = {
        number: {one["scope"]: one["number"] for one in told or ()}
        for number, told in zip(at, some["numbers"].to_list(), strict=True)
    }
    groups = Groups(numbers, apart)
    verdicts = []
    for pair in pairs:
        tie = _tie(where[pair.left], where[pair.right])
        is_common = pair.has_network or not pair.has_own_words
        if groups.are_apart(pair.left, pair.right) or (is_common and tie in _APART):
            continue
        reason = _reason(pair, tie, model, is_common=is_common)
        reason = reason or _chained(groups, pair, where, alike)
        if reason is None and not groups.join(pair.left, pair.right):
            reason = "conflict"
        if reason is None or groups.of(pair.left) != groups.of(pair.right):
            verdicts.append(Verdict(pair.left, pair.right, pair.probability, reason))
    return verdicts


def _reason(pair: Pair, tie: str, model: NameModel, *, is_common: bool) -> str | None:
    if pair.probability < model.automatic:
        return "likely"
    if pair.lead < model.margin:
        return "rival"
    if tie in ("unknown", *_APART) or (is_common and tie == "departement"):
        return "network" if is_common else "place"
    return None


def _tie(left: _Where, right: _Where) -> str:
    """What ties two nodes to one place, or holds them apart."""
    if left.communes and right.communes:
        if left.communes & right.communes:
            return "commune"
        return "other_commune" if left.departements & right.departements else "elsewhere"
    is_bare = not (left.departements or right.departements)
    if is_bare and left.funders & right.funders:
        return "funder"
    mine, theirs = (node.departements or node.areas for node in (left, right))
    if mine and theirs:
        return "departement" if mine & theirs else "elsewhere"
    return "departement" if left.funders & right.funders else "unknown"


def _chained(groups: Groups[int], pair: Pair, where: Mapping[int, _Where], alike: Alike) -> str | None:
    """No chains: why some node of one group is kept from some node of the other, though the pair is alike."""
    mine, theirs = groups.members(pair.left), groups.members(pair.right)
    if len(mine) == len(theirs) == 1 or groups.of(pair.left) == groups.of(pair.right):
        return None
    crossed = [(one, other) for one in mine for other in theirs]
    if any(_tie(where[one], where[other]) in _APART for one, other in crossed):
        return "place"
    return None if alike.all(crossed) else "chain"
