"""Five shades for amounts: quintiles of the values drawn, with the words of the legend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipelines.publish import formats

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class LegendItem:
    """One entry of a legend: the colour's class and its meaning."""

    css: str
    label: str


def bounds(values: pd.Series) -> list[float]:
    """The upper limits of the first four shades: quintiles of the positive values; empty when there is none."""
    positive = values[values > 0]
    return positive.quantile([0.2, 0.4, 0.6, 0.8]).tolist() if len(positive) else []


def shade(value: float, limits: list[float]) -> int:
    """The shade (1–5) of a value; 0 for none."""
    return 0 if value <= 0 else 1 + sum(value > limit for limit in limits)


def legend(limits: list[float], *, currency: str = "EUR") -> list[LegendItem]:
    """The amounts that each shade stands for; empty when the values do not tell several shades apart."""
    if len(set(limits)) < 2:
        return []
    words = [formats.money_compact(limit, currency=currency) for limit in limits]
    return [
        *(LegendItem(f"s{i}", f"jusqu'à {word}") for i, word in enumerate(words, start=1)),
        LegendItem("s5", f"plus de {words[-1]}"),
    ]
