"""`kill -9` at any instant of a run: nothing lost, nothing doubled, nothing half; and the next run repairs."""

from __future__ import annotations

import random
import time
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import pytest

from tests.kills import PHASES, Run
from tests.project_state import differences, state
from tests.reader import Seen, polling, rows

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "nomAttribuant;nomBeneficiaire;exerciceBudgetaire;statutLabel;montantDemande;montant;objet"


def drop(root: Path, season: int) -> None:
    """What the inbox holds in a season: a file that is rewritten each time, others that come and stay."""
    folder = root / "raw" / "ville"
    folder.mkdir(parents=True, exist_ok=True)
    for name, first, last in (("f.csv", season, 60 + 2 * season), (f"g{season // 3}.csv", 500, 504 + season // 3)):
        lines = [
            f"Ville;Association {n};{2023 + n % 3};{'refusée' if n % 4 == 0 else 'attribuée'};{1000 + n};"
            f"{0 if n % 4 == 0 else 900 + n};Projet {n}"
            for n in range(first, last)
        ]
        lines.append(f"Ville;Association {last};2025;attribuée;1000;beaucoup;Une ligne à corriger")
        aside = folder / f"{name}.part"
        aside.write_text("\n".join([HEADER, *lines]) + "\n", encoding="utf-8")
        aside.replace(folder / name)


def kills(root: Path, *, count: int, each_season: int, seed: int) -> None:
    """`count` kills, so many in each season; at its end, a whole run and the comparison with an undisturbed twin."""
    calm, ill, traces, chance = root / "tranquille", root / "derangee", root / "traces", random.Random(seed)
    killed: Counter[str] = Counter()
    whole: dict[str, list[dict[str, int]]] = {"funding": [], "public": []}
    season = through_dagster = 0
    with polling(ill) as seen:
        while killed.total() < count:
            drop(calm, season)
            run = Run(calm, traces, dagster=False).begun()
            began = time.monotonic()
            assert run.ended()
            length, counts = time.monotonic() - began, run.counts
            for name in whole:
                whole[name].append(rows(calm / "warehouse" / f"{name}.duckdb"))
            drop(ill, season)
            for attempt in _attempts(chance, counts, length, min(each_season, count - killed.total())):
                run = Run(ill, traces, stop=attempt.stop, dagster=attempt.is_whole).begun()
                if attempt.after is not None:
                    run.kill_after(attempt.after)
                if not run.ended():
                    killed[run.phase] += 1
                    through_dagster += attempt.is_whole
            assert Run(ill, traces).ended()
            assert differences(state(ill), state(calm)) == {}, f"season {season}, after {killed.total()} kills"
            season += 1
            print(f"{killed.total()} kills, repaired and compared", flush=True)
    _tell(killed, through_dagster, season, seen)
    assert seen.wrong == []
    for name, states in seen.states.items():
        assert all(found in whole[name] for found in states), f"{name}: a state that no run to the end gave"


class Attempt(NamedTuple):
    """A run to be killed `after` so many seconds, or before the n-th operation of a phase (`stop`).

    `is_whole`: it is `qfq run` itself, Dagster included; `place` is where it falls in the flow, from 0 to 1.
    """

    place: float
    stop: tuple[str, int] | None
    after: float | None
    is_whole: bool


def _attempts(chance: random.Random, counts: dict[str, int], length: float, many: int) -> list[Attempt]:
    """Half of them at any time, half before an operation of a phase drawn at random, in the order of the flow.

    In that order because what an earlier run did is not done again: a later one would not pass there.
    """
    found = []
    phases = [phase for phase in PHASES if counts.get(phase)]
    for rank in range(many):
        is_whole = rank % 8 >= 6
        if rank % 2:
            place = chance.random()
            found.append(Attempt(place, None, place * length * (2 if is_whole else 1), is_whole))
        elif is_whole:
            found.append(Attempt(chance.random(), ("dagster", chance.randint(1, 200)), None, is_whole))
        else:
            phase = chance.choice(phases)
            place = phases.index(phase) / len(phases)
            found.append(Attempt(place, (phase, chance.randint(1, counts[phase])), None, is_whole))
    return sorted(found, key=lambda attempt: attempt.place)


def _tell(killed: Counter[str], through_dagster: int, seasons: int, seen: Seen) -> None:
    by_phase = ", ".join(f"{phase} {killed[phase]}" for phase in PHASES if killed[phase])
    print(
        f"\n{killed.total()} runs killed ({by_phase}), {through_dagster} of them through Dagster, "
        f"{seasons} times repaired and compared: 0 lines lost, 0 doubled;\n"
        f"{seen.looks} looks of a reader, {seen.opened} databases opened, {seen.pages} files read, "
        f"{seen.bad_looks} unreadable instants"
    )


def test_a_few_kills(tmp_path: Path) -> None:
    kills(tmp_path, count=2, each_season=2, seed=1)


@pytest.mark.fault
@pytest.mark.timeout(7200)
def test_many_kills(tmp_path: Path) -> None:
    kills(tmp_path, count=200, each_season=20, seed=2)
