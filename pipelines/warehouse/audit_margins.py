"""What two publications tell together: sums and differences of the rows that each of them printed.

No single row need be in both: a total less one service before, and two services after, may be the same applications,
whose number then moved by what a reader computes. Here: for every funder-year and measure, all the sets of applications
whose number both publications give (the intersection of the row spaces of what they print, by its reduced basis), and
how much it moved. Reads what was printed (public tables, archive), not the decision of `holding`, which it checks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy.linalg import null_space

from pipelines.warehouse import publications
from pipelines.warehouse.audit_facts import ATOM, BLOCK, LEVELS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pipelines.warehouse.publications import Archive
    from schemas.publication import Disclosure

_CELL = ["level", "service_key", "departement_code", "scheme"]
_SMALL = 1e-7
FINDING = pl.Schema({
    "table": pl.String, "cell": pl.String, "measure": pl.String, "low": pl.Float64, "high": pl.Float64,
    "given_by": pl.String,
})  # fmt: skip


def findings(values: pl.DataFrame, atoms: pl.DataFrame, archive: Archive, limits: Disclosure) -> pl.DataFrame:
    """The sets whose count moved by 1 to `min_count - 1`, in the columns of `audit.FINDING`.

    `values`: `audit_facts.Facts.values` of this publication. `atoms`: see `suppression.ATOMS`, all of them.
    """
    past_counts = archive.read("counts", publications.COUNTS)
    past_rows = archive.read("printed", publications.PRINTED)
    if past_rows.is_empty():
        return pl.DataFrame(schema=FINDING)
    key = [*BLOCK, "measure"]
    now = atoms.filter(~pl.col("is_known_zero"))
    rows = values.filter(pl.col("level") != "atom").select(*key, *_CELL).unique()
    found = []
    for number in past_rows["publication"].unique().sort():
        then = past_counts.filter(pl.col("publication") == number)
        then_rows = past_rows.filter(pl.col("publication") == number)
        both = rows.select(key).unique().join(then_rows.select(key).unique(), on=key, how="semi")
        moved = (
            now.join(both, on=key, how="semi")
            .join(then, on=[*ATOM, "measure"], how="full", suffix="_then", coalesce=True)
            .join(both, on=key, how="semi")
            .with_columns((pl.col("count").fill_null(0) - pl.col("count_then").fill_null(0)).alias("moved"))
        )
        for (funder, year, measure), mine in moved.group_by(key, maintain_order=True):
            if not mine["moved"].abs().sum():
                continue
            here = (pl.col("funder_id") == funder) & (pl.col("fiscal_year") == year) & (pl.col("measure") == measure)
            for size, change in small_moves(
                mine, rows.filter(here), then_rows.filter(here), min_count=limits.min_count
            ):
                by = f"la publication n° {number} et celle-ci, par soustraction"
                cell = f"{funder} · {year} · {size} mailles"
                found.append(("refusal_rates", cell, measure, change, change, by))
    return pl.DataFrame(found, schema=FINDING, orient="row")


def small_moves(
    atoms: pl.DataFrame, rows: pl.DataFrame, former: pl.DataFrame, *, min_count: int
) -> list[tuple[int, float]]:
    """Number of atoms and move of every least set that `rows` and `former` both tell, and that moved by too few."""
    here, there = _printed(atoms, rows), _printed(atoms, former)
    stacked, column = np.unique(np.vstack([here, there]), axis=1, return_inverse=True)
    sizes = np.bincount(column.ravel(), minlength=stacked.shape[1])
    moves = np.bincount(column.ravel(), weights=atoms["moved"].to_numpy().astype(float), minlength=stacked.shape[1])
    here, there = stacked[: here.shape[0]], stacked[here.shape[0] :]
    combined = null_space(np.hstack([here.T, -there.T]))
    told = (here.T @ combined[: here.shape[0]]).T
    found = []
    for members in _least_sets(told):
        change = float(np.round(members @ moves, 6))
        if 1 <= abs(change) <= min_count - 1:
            found.append((round(float(members @ sizes)), change))
    return found


def _least_sets(told: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """The sets in the space that `told` spans that hold no other one, among those that either order of columns gives.

    What a set that holds others moved by is the sum of their moves, and tells of nobody more.
    """
    found: dict[bytes, NDArray[np.float64]] = {}
    for step in (1, -1):
        for members in _reduced(told[:, ::step])[:, ::step]:
            is_set = bool(((np.abs(members) < _SMALL) | (np.abs(members - 1) < _SMALL)).all())
            if is_set and _inside(told, members) == 1:
                found[np.round(members).astype(np.int8).tobytes()] = np.round(members)
    return list(found.values())


def _inside(told: NDArray[np.float64], members: NDArray[np.float64]) -> int:
    """How many independent vectors of the space have nothing outside a set."""
    outside = told[:, np.abs(members) < _SMALL]
    if not outside.shape[1]:
        return int(np.linalg.matrix_rank(told, tol=_SMALL))
    return int(np.linalg.matrix_rank(told, tol=_SMALL) - np.linalg.matrix_rank(outside, tol=_SMALL))


def _printed(atoms: pl.DataFrame, rows: pl.DataFrame) -> NDArray[np.float64]:
    """One row a printed cell, one column an atom: 1 where the cell holds it."""
    columns = {name: atoms[name].to_numpy() for name in _CELL[1:]}
    cells = rows.unique(maintain_order=True).to_dicts()
    held = np.ones((len(cells), atoms.height))
    for row, cell in zip(held, cells, strict=True):
        for name in LEVELS[cell["level"]]:
            if name in columns:
                row *= columns[name] == cell[name]
    return held


def _reduced(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """The reduced row echelon form, without its rows of zeros: disjoint sets come out as themselves."""
    rows, lead = matrix.copy(), 0
    for column in range(rows.shape[1]):
        if lead == rows.shape[0]:
            break
        pivot = lead + int(np.argmax(np.abs(rows[lead:, column])))
        if abs(rows[pivot, column]) < _SMALL:
            continue
        rows[[lead, pivot]] = rows[[pivot, lead]]
        rows[lead] /= rows[lead, column]
        others = np.arange(rows.shape[0]) != lead
        rows[others] -= np.outer(rows[others, column], rows[lead])
        rows[np.abs(rows) < _SMALL] = 0.0
        lead += 1
    return rows[:lead]
