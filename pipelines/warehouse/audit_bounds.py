"""How far linear equations between counts narrow sums of them: linear programmes, solved by HiGHS through scipy.

Nothing here knows what a count is. Unknowns are whole and not negative. When the equations are those of one tree cut
by one other partition (services and départements, crossed with schemes) their matrix is that of a network: it is
totally unimodular, so the ends of the linear bounds are themselves reached by whole numbers and the bounds are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EXPLORED = 8
"""Feasible points tried first: a target that takes values far enough apart among them needs no bound of its own."""
_SEED = 20261127
_INFEASIBLE, _UNBOUNDED = 2, 3


class NoSolution(ValueError):  # noqa: N818 - a state of the data, not a fault of the program
    """The printed figures contradict one another: no count satisfies them all."""


@dataclass(frozen=True)
class System:
    """`matrix` @ x = `constants`, x ≥ 0; a target is the sum of the unknowns of `least` at least, of `most` at most.

    One row a target in both: `most` are the unknowns that it touches, `least` those that it holds whole.
    """

    matrix: csr_matrix
    constants: NDArray[np.float64]
    least: csr_matrix
    most: csr_matrix


def narrow(system: System, *, width: float) -> NDArray[np.float64]:
    """The bounds (low, high) of every target: exact where closer than `width`, elsewhere known to be that far apart.

    An unbounded end is infinite. Raises `NoSolution`.
    """
    n_facts, n_unknowns = system.matrix.shape
    found = np.zeros((system.most.shape[0], 2))
    graph = csr_matrix((n_facts + n_unknowns, n_facts + n_unknowns))
    if n_facts:
        links = system.matrix.tocoo()
        graph = csr_matrix((np.ones(links.nnz), (links.row, n_facts + links.col)), shape=(n_facts + n_unknowns,) * 2)
    _, labels = connected_components(graph, directed=False)
    of_unknowns, of_facts = labels[n_facts:], labels[:n_facts]
    known: dict[bytes, NDArray[np.float64]] = {}
    for label in np.unique(of_unknowns):
        columns, rows = np.flatnonzero(of_unknowns == label), np.flatnonzero(of_facts == label)
        most, least = system.most[:, columns], system.least[:, columns]
        touched = np.flatnonzero(most.getnnz(axis=1))
        if not touched.size:
            continue
        if not rows.size:
            found[touched, 1] = np.inf
            continue
        part = System(system.matrix[rows][:, columns], system.constants[rows], least[touched], most[touched])
        mark = _mark(part)
        if mark not in known:
            known[mark] = _narrow_one(part, width)
        found[touched] += known[mark]
    return found


def _mark(part: System) -> bytes:
    """Equal for components of equal content."""
    pieces = [part.constants.tobytes()]
    for matrix in (part.matrix, part.least, part.most):
        ordered = matrix.tocsr().sorted_indices()
        pieces += [
            repr(ordered.shape).encode(),
            ordered.indptr.tobytes(),
            ordered.indices.tobytes(),
            ordered.data.tobytes(),
        ]
    return b"|".join(pieces)


def _narrow_one(part: System, width: float) -> NDArray[np.float64]:
    """Bounds of the targets of one component: from explored points where they suffice, else by two programmes."""
    points = _explored(part)
    low, high = (part.least @ points).min(axis=1), (part.most @ points).max(axis=1)
    for target in np.flatnonzero(high - low < width):
        low[target] = _end(part, part.least[target], 1.0)
        high[target] = _end(part, part.most[target], -1.0)
    return np.column_stack([low, high])


def _explored(part: System) -> NDArray[np.float64]:
    """Feasible points at the ends of a few directions, one column each."""
    rng = np.random.default_rng(_SEED)
    points = []
    for _ in range(_EXPLORED):
        direction = rng.uniform(0.1, 1.0, part.matrix.shape[1]) * rng.choice([-1.0, 1.0], part.matrix.shape[1])
        solved = linprog(direction, A_eq=part.matrix, b_eq=part.constants, bounds=(0, None), method="highs")
        if solved.status == _INFEASIBLE:
            raise NoSolution
        if solved.status == 0:
            points.append(solved.x)
    if not points:
        solved = linprog(np.zeros(part.matrix.shape[1]), A_eq=part.matrix, b_eq=part.constants, method="highs")
        points.append(solved.x)
    return np.column_stack(points)


def _end(part: System, objective: csr_matrix, sign: float) -> float:
    cost = sign * np.asarray(objective.todense()).ravel()
    solved = linprog(cost, A_eq=part.matrix, b_eq=part.constants, bounds=(0, None), method="highs")
    if solved.status == _INFEASIBLE:
        raise NoSolution
    if solved.status == _UNBOUNDED:
        return -sign * np.inf
    if solved.status != 0:
        raise RuntimeError(f"HiGHS: {solved.message}")
    return float(sign * solved.fun)
