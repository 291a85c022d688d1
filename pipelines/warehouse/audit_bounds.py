"""How far linear equations between counts narrow sums of them: linear programmes, solved by HiGHS.

Nothing here knows what a count is. Unknowns are whole and not negative. When the equations are those of one tree cut
by one other partition (services and départements, crossed with schemes) their matrix is that of a network: it is
totally unimodular, so the ends of the linear bounds are themselves reached by whole numbers and the bounds are exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import highspy
import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from numpy.typing import NDArray

_EXPLORED = 8
"""Feasible points tried first: a target that takes values far enough apart among them needs no bound of its own."""
_SEED = 20261127
_NOTHING_BELOW = {highspy.HighsModelStatus.kUnbounded, highspy.HighsModelStatus.kUnboundedOrInfeasible}


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


class _Equations:
    """The equations of one component, told to HiGHS once: every objective starts from where the one before ended."""

    def __init__(self, part: System) -> None:
        n_facts, self._n_unknowns = part.matrix.shape
        matrix = part.matrix.tocsc()
        programme = highspy.HighsLp()
        programme.num_row_, programme.num_col_ = n_facts, self._n_unknowns
        programme.col_cost_ = np.zeros(self._n_unknowns)
        programme.col_lower_ = np.zeros(self._n_unknowns)
        programme.col_upper_ = np.full(self._n_unknowns, highspy.kHighsInf)
        programme.row_lower_ = programme.row_upper_ = part.constants
        programme.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        programme.a_matrix_.start_ = matrix.indptr
        programme.a_matrix_.index_ = matrix.indices
        programme.a_matrix_.value_ = matrix.data
        self._solver = highspy.Highs()
        self._solver.setOptionValue("output_flag", False)
        self._solver.passModel(programme)

    def least(self, objective: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """The unknowns that make `objective` the least; None when nothing bounds it. Raises `NoSolution`."""
        every = np.arange(self._n_unknowns, dtype=np.int32)
        self._solver.changeColsCost(self._n_unknowns, every, objective)
        self._solver.run()
        status = self._solver.getModelStatus()
        if status == highspy.HighsModelStatus.kInfeasible:
            raise NoSolution
        if status in _NOTHING_BELOW:
            return None
        if status != highspy.HighsModelStatus.kOptimal:
            raise RuntimeError(f"HiGHS: {self._solver.modelStatusToString(status)}")
        return np.asarray(self._solver.getSolution().col_value)


def _narrow_one(part: System, width: float) -> NDArray[np.float64]:
    """Bounds of the targets of one component: from explored points where they suffice, else by two programmes."""
    equations = _Equations(part)
    points = _explored(equations, part.matrix.shape[1])
    low, high = (part.least @ points).min(axis=1), (part.most @ points).max(axis=1)
    for target in np.flatnonzero(high - low < width):
        low[target] = _end(equations, part.least[target], 1.0)
        high[target] = _end(equations, part.most[target], -1.0)
    return np.column_stack([low, high])


def _explored(equations: _Equations, n_unknowns: int) -> NDArray[np.float64]:
    """Feasible points at the ends of a few directions, one column each."""
    rng = np.random.default_rng(_SEED)
    directions = [rng.uniform(0.1, 1.0, n_unknowns) * rng.choice([-1.0, 1.0], n_unknowns) for _ in range(_EXPLORED)]
    found = [equations.least(direction) for direction in (np.zeros(n_unknowns), *directions)]
    return np.column_stack([point for point in found if point is not None])


def _end(equations: _Equations, objective: csr_matrix, sign: float) -> float:
    """The least (`sign` 1) or the greatest (-1) of `objective`, infinite where nothing bounds it."""
    cost = sign * objective.toarray().ravel()
    point = equations.least(cost)
    return -sign * np.inf if point is None else float(sign * (cost @ point))
