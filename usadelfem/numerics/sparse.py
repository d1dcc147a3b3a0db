"""Sparse matrices of element matrices, and solutions with symmetric positive ones: mass and stiffness."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csc_array, diags_array
from scipy.sparse.linalg import splu

from .auxiliary import PositiveIteration, edge_iteration, mass_iteration, nodal_iteration

Index = NDArray[np.int64]
Real = NDArray[np.float64]

# Residual of a solution, relative to the terms that cancel in it.
CHECKED = 1e-9
# Mass matrices, and those of solids, are solved by conjugate gradients from so many unknowns on.
LARGE_MASS, LARGE_SOLID = 20_000, 50_000


def scalar_matrix(cells: Index, local: Real, count: int) -> Any:
    """The matrix (count, count) of element matrices (cells, local, local) over the unknowns `cells`, in CSR form."""
    rows, columns = np.broadcast_to(cells[:, :, None], local.shape), np.broadcast_to(cells[:, None, :], local.shape)
    return coo_array((local.ravel(), (rows.ravel(), columns.ravel())), shape=(count, count)).tocsr()


class PositiveFactor:
    """Factors of a symmetric positive definite matrix that is scaled to a unit diagonal; every solution is checked."""

    def __init__(self, matrix: Any) -> None:
        diagonal = np.asarray(matrix.diagonal())
        largest = float(diagonal.max(initial=0.0))
        if not np.isfinite(diagonal).all() or not largest > 0 or (diagonal < 0).any():
            raise np.linalg.LinAlgError("the matrix is not positive: a coefficient is zero, negative or not finite")
        root = 2.0 ** -np.round(0.5 * np.log2(np.where(diagonal > 0, diagonal, largest)))
        self._root = root
        scaling = diags_array(root)
        self._matrix = csc_array(scaling @ matrix @ scaling)
        options = {"SymmetricMode": True}
        try:
            self._factor = splu(self._matrix, permc_spec="MMD_AT_PLUS_A", options=options, diag_pivot_thresh=0.0)
        except RuntimeError as error:
            raise np.linalg.LinAlgError("the matrix is singular") from error

    def solve(self, rhs: Real) -> Real:
        """Solution for rhs of shape (n,) or (n, k), refined once; NaN where that is not finite.

        Raises
        ------
        numpy.linalg.LinAlgError
            If the residual stays above CHECKED of the right-hand side.
        """
        root = self._root if rhs.ndim == 1 else self._root[:, None]
        right = root * rhs
        if not np.isfinite(right).all():  # fields at energies that were not found
            return np.full_like(right, np.nan)
        x = self._factor.solve(right)
        x = x + self._factor.solve(right - self._matrix @ x)
        size = float(np.max(abs(self._matrix) @ abs(x) + abs(right), initial=0.0))
        if not float(np.max(abs(right - self._matrix @ x), initial=0.0)) <= CHECKED * size:
            raise np.linalg.LinAlgError("the matrix is singular to working precision")
        return np.asarray(root * x)


class LargeFactor:
    """Solutions by iterations, and with factors where these do not converge."""

    def __init__(self, matrix: Any, iteration: PositiveIteration) -> None:
        self._matrix = matrix
        self._solver: PositiveIteration | PositiveFactor = iteration

    def solve(self, rhs: Real) -> Real:
        """As `PositiveFactor.solve`."""
        try:
            return self._solver.solve(rhs)
        except np.linalg.LinAlgError:
            if isinstance(self._solver, PositiveFactor):
                raise
        self._solver = PositiveFactor(self._matrix)
        return self._solver.solve(rhs)


Positive = PositiveFactor | LargeFactor


def mass_solver(matrix: Any) -> Positive:
    """The way to solve with a mass matrix, with `solve(rhs)`: factors of small ones, iterations for large ones."""
    if matrix.shape[0] < LARGE_MASS:
        return PositiveFactor(matrix)
    return LargeFactor(matrix, mass_iteration(matrix))


def factorize_positive(matrix: Any, dim: int = 0) -> Positive:
    """The way to solve with a symmetric positive definite matrix over nodes of a mesh of `dim` dimensions.

    Factors, with `solve(rhs)`; of large solids multigrid iterations, whose cost grows with the nodes only.

    Raises
    ------
    numpy.linalg.LinAlgError
        If the matrix is singular or not positive.
    """
    if dim < 3 or matrix.shape[0] < LARGE_SOLID:
        return PositiveFactor(matrix)
    return LargeFactor(matrix, nodal_iteration(matrix))


def edge_solver(matrix: Any, spaces: Sequence[Any]) -> Positive:
    """The way to solve with one over edges, with the spaces of `edge_iteration`; none: factors."""
    if not len(spaces) or matrix.shape[0] < LARGE_SOLID:
        return PositiveFactor(matrix)
    return LargeFactor(matrix, edge_iteration(matrix, spaces))
