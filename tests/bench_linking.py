"""What linking a hundred thousand organisations by name costs: seconds and memory, in a process of its own.

Invented bodies, each written twice, the second time as people do (an acronym, a form, a town, a slip of the pen). The
real files measure how right it is (`tests/test_linking_names.py`); this one only how long it takes.
"""

from __future__ import annotations

import multiprocessing
import random
import resource
import time
from dataclasses import dataclass

from pipelines.warehouse.linking.decide import link
from pipelines.warehouse.linking.model import load_model
from tests.linking_truth import Node, frame

KINDS = (
    "Association",
    "Comité",
    "Club",
    "Amicale",
    "Compagnie",
    "Les Amis de",
    "Centre",
    "Union",
    "Collectif",
    "Foyer",
)
WHAT = (
    "sportif",
    "culturel",
    "des parents",
    "de théâtre",
    "de danse",
    "d'insertion",
    "solidaire",
    "de musique",
    "laïque",
)
SOUNDS = ("ba", "che", "di", "fou", "gra", "lin", "mon", "ne", "pri", "rol", "sau", "ti", "ver", "zan", "cour", "bel")


@dataclass(frozen=True)
class Cost:
    """Names linked, pairs found, how long it took (and what of it the processors worked), the most memory held."""

    names: int
    links: int
    right: int
    seconds: float
    processor_seconds: float
    megabytes: float


def organisations(number: int, seed: int = 0) -> list[Node]:
    """`number` nodes of half as many bodies: the first half in one list, the second in another, in the same order."""
    chance = random.Random(seed)

    def word() -> str:
        return "".join(chance.choices(SOUNDS, k=chance.choice((2, 3, 3)))).capitalize()

    first, second = [], []
    for _ in range(number // 2):
        words = [chance.choice(KINDS), chance.choice(WHAT), word(), word()]
        first.append(" ".join(words))
        changed = list(words)
        match chance.randrange(4):
            case 0:
                changed.append("".join(part[0] for part in words).upper())
            case 1:
                changed.insert(0, "Association")
            case 2:
                changed.append("de Montpellier")
            case _:
                changed[2] = changed[2][:-1]
        second.append(" ".join(changed).upper())
    return [
        Node(f"{side}{place}", (name,), {side: str(place)}, funders=frozenset(["ville"]))
        for side, names in (("L", first), ("R", second))
        for place, name in enumerate(names)
    ]


def _measure(number: int) -> Cost:
    nodes = frame(organisations(number))
    started, spent = time.perf_counter(), time.process_time()
    linked = [verdict for verdict in link(nodes, load_model()) if verdict.reason is None]
    took, spent = time.perf_counter() - started, time.process_time() - spent
    right = sum(verdict.right - verdict.left == number // 2 for verdict in linked)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Cost(number, len(linked), right, took, spent, peak)


def linking(number: int = 100_000) -> Cost:
    """Link `number` organisations by name, in a fresh process so that its memory is its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measure, (number,))


def main() -> None:
    cost = linking()
    print(
        f"{cost.names} organisations linked by name: {cost.seconds:.0f} s"
        f" ({cost.processor_seconds:.0f} s of processor), {cost.megabytes:.0f} MB,"
        f" {cost.links} links of which {cost.right} right"
    )


if __name__ == "__main__":
    main()
