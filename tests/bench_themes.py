"""What concluding the themes of a million distinct titles costs, printed: `python -m tests.bench_themes`."""

from __future__ import annotations

import random
import time

import polars as pl

from pipelines.warehouse.themes import said
from schemas.themes import themes

TITLES = 1_000_000
SEED = 20261127
WORDS = (
    "aide", "alimentaire", "fonctionnement", "projet", "festival", "jeunes", "quartier", "rénovation", "de", "la",
    "pour", "école", "association", "soutien", "Épicerie", "solidaire", "atelier", "théâtre", "club", "année", "du",
    "développement", "Santé", "insertion", "accueil", "création", "d'un", "local", "spectacle", "sport", "mémoire",
)  # fmt: skip


def titles(number: int = TITLES) -> pl.Series:
    """Distinct invented titles of four to twelve words, the same at every call."""
    rng = random.Random(SEED)
    return pl.Series([f"{' '.join(rng.choices(WORDS, k=rng.randint(4, 12)))} {n}" for n in range(number)])


def one_million_titles() -> str:
    """What reading a million distinct titles costs, in words: elapsed and processor time, and what it finds."""
    texts, rule = titles(), themes()
    started, worked = time.perf_counter(), time.process_time()
    found = said(texts, "title", rule)
    took, work = time.perf_counter() - started, time.process_time() - worked
    share = found["theme"].count() / texts.len()
    return f"{texts.len()} distinct titles in {took:.1f} s, {work:.1f} s of processor ({share:.0%} lead to a theme)"


if __name__ == "__main__":
    print(one_million_titles())
