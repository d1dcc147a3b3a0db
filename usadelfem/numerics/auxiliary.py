"""Conjugate gradients for large symmetric positive matrices of solids, in time and memory in proportion to unknowns.

Of matrices over nodes a multigrid cycle is the preconditioner. Those of edge elements, curl curl with a small mass,
have as many soft modes as there are nodes, gradients; they are smoothed, and corrected by cycles in spaces of nodes:
that of the gradients, and those of the components of nodal vector fields (R. Hiptmair and J. Xu, SIAM J. Numer. Anal.
45, 2483 (2007)).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, diags_array, triu
from scipy.sparse.linalg import LinearOperator, cg

from .hierarchy import Hierarchy, Level, node_grid

Real = npt.NDArray[np.float64]
Action = Callable[[Real], Real]

# Relative residual of a solution, and the most iterations.
ACCURACY, MOST_ITERATIONS = 1e-14, 400
REACHED = 1e-10  # a solution with a larger one is none


class PositiveIteration:
    """Solutions with a symmetric positive matrix by conjugate gradients; every one is checked."""

    def __init__(self, matrix: Any, preconditioner: Action) -> None:
        self._matrix = csr_array(matrix)
        self._near = LinearOperator(matrix.shape, matvec=preconditioner, dtype=np.float64)

    def solve(self, rhs: Real) -> Real:
        """Solution for rhs of shape (n,) or (n, k); NaN where that is not finite.

        Raises
        ------
        numpy.linalg.LinAlgError
            If it does not converge.
        """
        if rhs.ndim > 1:
            return np.stack([self.solve(column) for column in rhs.T], axis=1)
        if not np.isfinite(rhs).all():
            return np.full_like(rhs, np.nan)
        x, _ = cg(self._matrix, rhs, rtol=ACCURACY, atol=0.0, maxiter=MOST_ITERATIONS, M=self._near)
        left, size = float(np.linalg.norm(rhs - self._matrix @ x)), float(np.linalg.norm(rhs))
        if not left <= REACHED * size:
            raise np.linalg.LinAlgError(f"conjugate gradients left a relative residual of {left / size:.1e}")
        return np.asarray(x)


def mass_iteration(matrix: Any) -> PositiveIteration:
    """The way to solve with a mass matrix.

    Scaled by its diagonal, its condition is that of the matrix of one element, whatever the mesh (A. Wathen, IMA J.
    Numer. Anal. 7, 449 (1987)), so that a few dozen iterations reach rounding.
    """
    inverse = 1.0 / matrix.diagonal()
    return PositiveIteration(matrix, lambda residual: np.asarray(inverse * residual))


def nodal_iteration(matrix: Any) -> PositiveIteration:
    """The way to solve with a matrix over nodes, such as that of div sigma grad."""
    return PositiveIteration(matrix, _cycle(matrix))


def edge_iteration(matrix: Any, spaces: Sequence[Any]) -> PositiveIteration:
    """The way to solve with a matrix over edges.

    `spaces` prolong to the edges from gradients and vector components at nodes, each a matrix (edges, nodes).
    """
    matrix = csr_array(matrix)
    inverse, parts = 1.0 / matrix.diagonal(), []
    for space in spaces:
        used = np.flatnonzero(np.asarray(abs(space).sum(axis=0)).ravel() > 0)
        own = space.tocsc()[:, used].tocsr()
        parts.append((own, own.T.tocsr(), _cycle((own.T @ matrix @ own).tocsr())))

    def apply(residual: Real) -> Real:
        out = inverse * residual
        for own, turned, cycle in parts:
            out = out + own @ cycle(turned @ residual)
        return np.asarray(out)

    return PositiveIteration(matrix, apply)


def _cycle(matrix: Any) -> Action:
    """One multigrid cycle, of the matrix that is scaled to a unit diagonal."""
    scale = 2.0 ** -np.round(0.5 * np.log2(matrix.diagonal()))
    scaling = diags_array(scale)
    upper = csr_array(triu(scaling @ matrix @ scaling))
    upper.sort_indices()
    grid = node_grid(upper.indptr.astype(np.int32), upper.indices.astype(np.int32), 1)
    with np.errstate(all="ignore"):
        hierarchy = Hierarchy(Level(grid, upper.data, (1.0,), scale[:, None] / np.median(scale)), [])
    return lambda residual: scale * hierarchy.cycle(np.ascontiguousarray((scale * residual)[:, None])).ravel()
