"""Who asks: some 250 invented associations and CCAS, seated in real communes of Occitanie."""

from __future__ import annotations

import csv
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, TypeVar

from pipelines.demo import identifiers

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")
SEED = "qui-finance-quoi"
HERE = Path(__file__).parent
ASSOCIATIONS = 225
CCAS = 25
FIRST_SERIAL = 1000
THEMES = {"food_aid": 45, "social_inclusion": 20, "housing": 7, "health": 4, "family_childhood": 5,
          "youth_education": 5, "employment": 5, "urban_policy": 3, "sport": 1, "culture": 2, "environment": 2,
          "rights": 1}  # fmt: skip
SIZES = {1: 30, 2: 30, 3: 22, 4: 13, 5: 5}
DEPARTEMENTS = {
    "09": "Ariège", "11": "Aude", "12": "Aveyron", "30": "Gard", "31": "Haute-Garonne", "32": "Gers", "34": "Hérault",
    "46": "Lot", "48": "Lozère", "65": "Hautes-Pyrénées", "66": "Pyrénées-Orientales", "81": "Tarn",
    "82": "Tarn-et-Garonne",
}  # fmt: skip


@dataclass(frozen=True)
class Commune:
    """A real commune; `weight` is roughly its population in tens of thousands."""

    code: str
    postcode: str
    name: str
    weight: int

    @property
    def departement(self) -> str:
        """The two characters of its département."""
        return self.code[:2]


@dataclass(frozen=True)
class Applicant:
    """An invented body. `size` goes from 1 (volunteers only) to 5; `themes` has the main one first."""

    serial: int
    name: str
    commune: Commune
    size: int
    themes: tuple[str, ...]
    siret: str | None
    rna: str | None

    @property
    def siren(self) -> str | None:
        """First nine digits of the SIRET."""
        return self.siret[:9] if self.siret else None


def dice(topic: str) -> Random:
    """Draws that depend on `topic` alone: a change in one part of the demonstration leaves the others as they are."""
    return Random(f"{SEED}/{topic}")  # noqa: S311 (nothing here is a secret)


@cache
def wording() -> dict[str, Any]:
    """The lists of `wording.toml`."""
    return tomllib.loads((HERE / "wording.toml").read_text(encoding="utf-8"))


@cache
def communes() -> tuple[Commune, ...]:
    """The communes of `communes.csv`, in the file's order."""
    with (HERE / "communes.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return tuple(Commune(row["code"], row["postcode"], row["name"], int(row["weight"])) for row in rows)


def pick(rng: Random, weights: Mapping[T, float]) -> T:
    """One key, drawn with its weight."""
    return rng.choices(list(weights), weights=list(weights.values()))[0]


def make_applicants() -> tuple[Applicant, ...]:
    """Every applicant: associations, then CCAS. One in twenty has only an RNA number, one in forty nothing."""
    rng = dice("applicants")
    seats = rng.choices(communes(), weights=[commune.weight for commune in communes()], k=ASSOCIATIONS)
    found = [_association(rng, FIRST_SERIAL + rank, name, seat)
             for rank, (name, seat) in enumerate(zip(_proper_names(rng), seats, strict=True))]  # fmt: skip
    for rank, seat in enumerate(sorted(rng.sample(communes(), CCAS), key=lambda commune: commune.code)):
        serial = FIRST_SERIAL + ASSOCIATIONS + rank
        siret = identifiers.siret(identifiers.siren(serial))
        themes = ("food_aid", "social_inclusion")
        found.append(Applicant(serial, f"CCAS fictif de {seat.name}", seat, 3, themes, siret, None))
    return tuple(found)


def _association(rng: Random, serial: int, proper: str, seat: Commune) -> Applicant:
    main = pick(rng, THEMES)
    second = pick(rng, {"food_aid": 50, "social_inclusion": 35, "health": 15})
    themes = (main,) if main == second else (main, second)
    name = f"{rng.choice(wording()['kinds'][main])} {proper}"
    size = pick(rng, SIZES)
    siret: str | None = identifiers.siret(identifiers.siren(serial), establishment=1 if size < 4 else 2)
    rna: str | None = identifiers.rna(seat.departement, serial)
    chance = rng.random()
    if chance < 0.025:
        return Applicant(serial, proper, seat, 1, themes, None, None)
    if chance < 0.075:
        siret = None
    return Applicant(serial, name, seat, size, themes, siret, rna)


def _proper_names(rng: Random) -> list[str]:
    words = wording()
    names = [f"{noun} {adjective}" for gender in ("feminine", "masculine")
             for noun in words[f"nouns_{gender}"] for adjective in words[f"adjectives_{gender}"]]  # fmt: skip
    return rng.sample(names, ASSOCIATIONS)
