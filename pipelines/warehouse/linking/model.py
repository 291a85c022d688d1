"""The probability that two names are one organisation's: two small logistic models, their coefficients in a file.

The first (`likeness`) judges two names by themselves; the second (`link`) also knows how far behind the next best
partner of either is. `make linking` trains them (`tests/train_linking.py`) and writes `schemas/name_model.toml`.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import schemas
from pipelines.warehouse.linking.likeness import FEATURES

if TYPE_CHECKING:
    from numpy.typing import NDArray

PATH = Path(schemas.__file__).with_name("name_model.toml")
GAPS = ("least_gap", "most_gap")
GAP_LOW, GAP_HIGH = -4.0, 6.0
ALONE = -8.0  # the likeness of a rival that does not exist


@dataclass(frozen=True)
class Logistic:
    """One logistic model: the features it reads, in order."""

    features: tuple[str, ...]
    weights: NDArray[np.float64]
    intercept: float

    def decide(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The log-odds of each row of `values` (columns in the order of `features`)."""
        decided: NDArray[np.float64] = values @ self.weights + self.intercept
        return decided


@dataclass(frozen=True)
class NameModel:
    """Both models and the probabilities that decide: from `link` on alone, from `review` on by an analyst.

    `margin`: how much likelier than its rivals a pair must be to be linked without asking.
    """

    likeness: Logistic
    link: Logistic
    automatic: float
    review: float
    margin: float


@cache
def load_model(path: Path = PATH) -> NameModel:
    """The model of `path`. Raises `KeyError` when a feature has no coefficient."""
    told = tomllib.loads(path.read_text(encoding="utf-8"))
    limits = told["thresholds"]
    return NameModel(
        likeness=_logistic(told["likeness"], FEATURES),
        link=_logistic(told["link"], (*FEATURES, *GAPS)),
        automatic=limits["automatic"],
        review=limits["review"],
        margin=limits["margin"],
    )


def _logistic(told: dict[str, float], features: tuple[str, ...]) -> Logistic:
    return Logistic(features, np.array([told[name] for name in features]), told["intercept"])


def probability(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log-odds → probability."""
    found: NDArray[np.float64] = 1 / (1 + np.exp(-odds))
    return found
