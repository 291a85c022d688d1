"""Real organisations whose identity nobody here decided: a city's association numbers, SIRENs of two publications.

Each measure hides the identifiers of two files and links by names alone; the numbers then tell what was right.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import polars as pl

from pipelines.ingest.check import check_file
from pipelines.ingest.normalise import Origin
from pipelines.warehouse.linking.decide import link
from pipelines.warehouse.linking.nodes import NODES
from schemas.funder import FunderFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from pipelines.warehouse.linking.model import NameModel

MONTPELLIER = (
    ("montpellier/VilleMTP_MTP_AttribSub_2013.csv",),
    ("montpellier/subventions_montpellier_2018_2019.csv",),
    "applicant_local_id",
)
PARIS = (
    ("paris/subventions-accordees-et-refusees-2013.csv",),
    (
        "paris/subventions-accordees-et-refusees-2013-2019-partie-1.csv",
        "paris/subventions-accordees-et-refusees-2013-2019-partie-2.csv",
    ),
    "applicant_siren",
)


@dataclass(frozen=True)
class Node:
    """A row of `NODES`."""

    key: str
    names: tuple[str, ...]
    numbers: Mapping[str, str] = field(default_factory=dict)
    communes: frozenset[str] = frozenset()
    departements: frozenset[str] = frozenset()
    areas: frozenset[str] = frozenset()
    funders: frozenset[str] = frozenset()


def frame(nodes: Iterable[Node]) -> pl.DataFrame:
    """A frame of `NODES`."""
    rows = [
        {
            **{name: sorted(codes) for name, codes in vars(node).items() if isinstance(codes, frozenset)},
            "key": node.key, "names": list(node.names),
            "numbers": [{"scope": scope, "number": number} for scope, number in sorted(node.numbers.items())],
        }
        for node in nodes
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=NODES)


@dataclass(frozen=True)
class Truth:
    """Nodes of two lists, each numbered inside its own, and the hidden number of each."""

    nodes: tuple[Node, ...]
    hidden: tuple[str, ...]

    @property
    def shared(self) -> int:
        """Organisations that stand in both lists."""
        sides = [{h for node, h in zip(self.nodes, self.hidden, strict=True) if side in node.numbers} for side in "LR"]
        return len(sides[0] & sides[1])

    def measure(self, linked: list[tuple[int, int]]) -> tuple[float, float]:
        """Precision and recall of `linked` pairs."""
        right = sum(self.hidden[i] == self.hidden[j] for i, j in linked)
        return right / max(len(linked), 1), right / self.shared


@cache
def truth(root: Path, city: tuple[tuple[str, ...], tuple[str, ...], str], removed: int | None = None) -> Truth:
    """The two lists of a city. `removed`: the seed by which half of the right list's organisations are taken out."""
    left, right, column = city
    sides = [_organisations(root, paths, column) for paths in (left, right)]
    if removed is not None:
        kept = random.Random(removed).sample(sorted(sides[1]), len(sides[1]) // 2)
        sides[1] = {number: sides[1][number] for number in sorted(kept)}
    nodes, hidden = [], []
    for scope, side in zip("LR", sides, strict=True):
        # the order of the nodes must not tell who is who
        for place, number in enumerate(random.Random(scope).sample(sorted(side), len(side))):
            nodes.append(Node(f"{scope}{place}", side[number], {scope: str(place)}, funders=frozenset(["ville"])))
            hidden.append(number)
    return Truth(tuple(nodes), tuple(hidden))


@cache
def _organisations(root: Path, paths: tuple[str, ...], column: str) -> dict[str, tuple[str, ...]]:
    """The names of each number of `column`, the most frequent first."""
    lines = pl.concat(
        [
            check_file((root / path).read_bytes(), Origin("essai", "essai", path, FunderFile())).accepted
            for path in paths
        ]
    )
    counted = (
        lines.drop_nulls([column, "applicant_name"])
        .group_by(column, "applicant_name")
        .len()
        .sort(column, "len", "applicant_name", descending=[False, True, False])
        .group_by(column, maintain_order=True)
        .agg("applicant_name")
    )
    return {number: tuple(names) for number, names in counted.iter_rows()}


def linked(measure: Truth, model: NameModel) -> list[tuple[int, int]]:
    """The pairs of two lists that are linked without asking, as the warehouse links them."""
    return [(verdict.left, verdict.right) for verdict in link(frame(measure.nodes), model) if verdict.reason is None]
