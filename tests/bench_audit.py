"""What the audit of publications costs, printed: `python -m tests.bench_audit`.

Generated funder-years, by turns of ten services in eight départements with three schemes, a dozen applications an atom,
and of four services with three schemes in one département, a hundred applications an atom, where schemes are printed
across services. Smaller numbers than 5 million lines are timed, and the cost of a line is printed with them.
"""

from __future__ import annotations

import time

import numpy as np
import polars as pl

from pipelines.warehouse import suppression
from pipelines.warehouse.audit import attack
from pipelines.warehouse.crossing import meant, without_narrow_schemes
from pipelines.warehouse.publications import PRINTED
from schemas.publication import load_publication

SEED = 20261127
FULL = 5_000_000
SIZES = (50, 100, 200)
"""Funder-years."""
SHAPES = (((10, 8, 3), 12), ((4, 1, 3), 120))
"""Services, départements and schemes of a funder-year, and applications of each atom."""


def atoms_of(funders: int) -> pl.DataFrame:
    """Atoms of so many funder-years, one row a measure. See `suppression.ATOMS`."""
    rng = np.random.default_rng(SEED)
    return pl.concat([
        _measured(_grid(f"{rank}-", funders // len(SHAPES), sizes), lines, rng)
        for rank, (sizes, lines) in enumerate(SHAPES)
    ])  # fmt: skip


def _grid(prefix: str, funders: int, sizes: tuple[int, int, int]) -> pl.DataFrame:
    grid = pl.DataFrame({"funder_id": [f"{prefix}{n:05}" for n in range(funders)]})
    for name, size in zip(("service_key", "departement_code", "scheme"), sizes, strict=True):
        grid = grid.join(pl.DataFrame({name: [f"{name}-{n}" for n in range(size)]}), how="cross")
    return grid.with_columns(pl.lit(2023, dtype=pl.Int32).alias("fiscal_year"))


def _measured(grid: pl.DataFrame, lines: int, rng: np.random.Generator) -> pl.DataFrame:
    grid = grid.with_columns(pl.Series("n_awarded", rng.poisson(lines * 0.7, grid.height)).cast(pl.Int64))
    parts = [
        grid.with_columns(
            pl.lit(measure).alias("measure"),
            pl.Series("count", rng.poisson(lines * share, grid.height)).cast(pl.Int64),
            pl.lit(False).alias("is_known_zero"),
        )
        for measure, share in (("refused", 0.2), ("inadmissible", 0.05), ("withdrawn", 0.05))
    ]
    return pl.concat(parts).select(suppression.ATOMS.names())


def wanted(atoms: pl.DataFrame) -> pl.DataFrame:
    """The rows that the rule lets print when every funder publishes its refusals. See `publications.PRINTED`."""
    limits = load_publication().disclosure
    roots = atoms.select(suppression.FUNDER_YEAR).unique()
    shown = suppression.protect(
        atoms,
        suppression.Thresholds(limits.min_decisions, limits.min_count),
        published=pl.concat([roots, atoms.select(suppression.SERVICE_YEAR).unique()], how="diagonal"),
        published_schemes=atoms.select(suppression.SCHEME_YEAR).unique(),
    )
    levels = {
        "funder": shown.funder_year,
        "service": shown.service_year,
        "territory": shown.territory_year,
        "scheme": shown.scheme_year,
    }
    parts = [rows.with_columns(pl.lit(level).alias("level")) for level, rows in levels.items()]
    return pl.concat([pl.DataFrame(schema=PRINTED), *parts], how="diagonal_relaxed")


def whole_audit(funders: int) -> str:
    """The cost of bounding every hidden count of so many funder-years, in words."""
    atoms = atoms_of(funders)
    started = time.perf_counter()
    rows = without_narrow_schemes(atoms, wanted(atoms), load_publication().disclosure)
    chosen, facts = time.perf_counter() - started, meant(atoms, rows)
    started, worked = time.perf_counter(), time.process_time()
    found = attack(facts, load_publication().disclosure)
    took, work = time.perf_counter() - started, time.process_time() - worked
    lines = sum(int(np.prod(sizes)) * lines for sizes, lines in SHAPES) * (funders // len(SHAPES))
    shown = facts.values.group_by("level").len().sort("level").rows()
    return (
        f"audit of {lines} lines ({funders} funder-years) in {took:.1f} s, {work:.1f} s of processor: "
        f"{took * FULL / lines:.0f} s for 5 million at that rate, "
        f"and {chosen * FULL / lines:.0f} s to choose what to print; "
        f"{found.height} cells given away; printed: {shown}"
    )


if __name__ == "__main__":
    for size in SIZES:
        print(whole_audit(size), flush=True)
