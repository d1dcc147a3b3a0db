"""Sparse matrices of element matrices, and solutions with symmetric positive ones: mass and stiffness."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csc_array, csr_array, diags_array
from scipy.sparse.linalg import cg, splu

Index = NDArray[np.int64]
Real = NDArray[np.float64]

# Residual of a solution, relative to the terms that cancel in it.
CHECKED = 1e-9
# Mass matrices from this size on are solved by conjugate gradients, to this relative residual.
LARGE_MASS, MASS_ACCURACY, MASS_ITERATIONS = 20_000, 1e-14, 300


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


class MassSolver:
    """Solutions with a mass matrix by conjugate gradients, in time and memory proportional to its entries.

    Scaled by its diagonal, its condition is that of the matrix of one element, whatever the mesh (Wathen, IMA J. Numer.
    Anal. 7, 449 (1987)), so that a few dozen iterations reach rounding.
    """

    def __init__(self, matrix: Any) -> None:
        self._matrix = csr_array(matrix)
        self._inverse = diags_array(1.0 / np.asarray(matrix.diagonal()))

    def solve(self, rhs: Real) -> Real:
        """Solution for rhs of shape (n,); NaN where that is not finite.

        Raises
        ------
        numpy.linalg.LinAlgError
            If it does not converge.
        """
        if not np.isfinite(rhs).all():
            return np.full_like(rhs, np.nan)
        x, _ = cg(self._matrix, rhs, rtol=MASS_ACCURACY, atol=0.0, maxiter=MASS_ITERATIONS, M=self._inverse)
        size = abs(self._matrix) @ abs(x) + abs(rhs)
        if not float(abs(rhs - self._matrix @ x).max()) <= CHECKED * float(size.max(initial=0.0)):
            raise np.linalg.LinAlgError("the mass matrix is singular: a cell has no volume")
        return np.asarray(x)


def mass_solver(matrix: Any) -> PositiveFactor | MassSolver:
    """The way to solve with a mass matrix, with `solve(rhs)`: factors of small ones, iterations for large ones."""
    return PositiveFactor(matrix) if matrix.shape[0] < LARGE_MASS else MassSolver(matrix)


def factorize_positive(matrix: Any) -> PositiveFactor:
    """Factors of a symmetric positive definite matrix, with `solve(rhs)`.

    Raises
    ------
    numpy.linalg.LinAlgError
        If the matrix is singular or not positive.
    """
    return PositiveFactor(matrix)
