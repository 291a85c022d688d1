"""What an examination of a project finds: one thing that is not as it should be, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing amiss. `part`, `what` and `remedy` are French; `place` is a path or an identifier.

    `is_repaired`: the next run repairs it by itself, from what is still sound. Otherwise somebody has to act.
    """

    part: str
    place: str
    what: str
    remedy: str
    is_repaired: bool


BY_THE_NEXT_RUN = "Le prochain passage le refait."
