"""Scaling of matrices to entries of order one, so that no unit of length or energy reaches a solver."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix

from ..compilation.jit import kernel

Real = npt.NDArray[np.float64]

# Passes over the matrix; each takes the square root of what the rows still differ by.
PASSES = 4


@kernel("sparse matrices")
def maxima(indptr: Any, indices: Any, values: Any, left: Any, right: Any, rows: Any, columns: Any) -> None:
    """Largest modulus in every row and in every column of a scaled matrix.

    Of the upper triangle of a symmetric one, with the same array for both, in every row of the whole.
    """
    rows[:] = 0.0
    columns[:] = 0.0
    for i in range(len(indptr) - 1):
        for n in range(indptr[i], indptr[i + 1]):
            j = indices[n]
            size = abs(values[n]) * left[i] * right[j]
            rows[i] = max(rows[i], size)
            columns[j] = max(columns[j], size)


@kernel("sparse matrices")
def scale_entries(indptr: Any, indices: Any, left: Any, right: Any, values: Any) -> None:
    """Multiply rows by `left` and columns by `right`, in place."""
    for i in range(len(indptr) - 1):
        for n in range(indptr[i], indptr[i + 1]):
            values[n] *= left[i] * right[indices[n]]


def equilibrate(indptr: Any, indices: Any, values: Any, *, symmetric: bool) -> tuple[Real, Real]:
    """Scale a matrix L A R in place so that its largest entries are of order one in every row and column.

    Iterated square roots of the maxima (D. Ruiz, report RAL-TR-2001-034), rounded to powers of two, which scale without
    rounding errors.

    Parameters
    ----------
    indptr, indices, values
        The matrix in CSR form; the upper triangle of a symmetric one, for which L = R.

    Returns
    -------
    left, right
        The diagonals of L and R, shape (rows,); 1 for empty rows and columns.
    """
    indptr, indices = (_as_it_is(array) for array in (indptr, indices))
    count = len(indptr) - 1
    left, rows = np.ones(count), np.empty(count)
    right, columns = (left, rows) if symmetric else (np.ones(count), np.empty(count))
    sides = [(left, rows)] if symmetric else [(left, rows), (right, columns)]
    # First as a whole: squares of small units would underflow.
    top = _largest(values)
    for factors, _ in sides if top > 0 else ():
        factors *= 2.0 ** -np.round(0.5 * np.log2(top))
    for _ in range(PASSES):
        maxima(indptr, indices, values, left, right, rows, columns)
        if all((abs(np.log2(largest[largest > 0])) <= 2).all() for _, largest in sides):
            break
        for factors, largest in sides:
            used = largest > 0
            factors[used] *= 2.0 ** -np.round(0.5 * np.log2(largest[used]))
    scale_entries(indptr, indices, left, right, values)
    return left, right


def _as_it_is(array: Any) -> Any:
    """A read-only view without a copy: the pattern of a large matrix is never widened to 64 bits."""
    view = array.view()
    view.flags.writeable = False
    return view


def _largest(values: npt.NDArray[Any]) -> float:
    """The largest modulus, for real values without an array of moduli."""
    if values.dtype.kind == "c":
        return float(abs(values).max(initial=0.0))
    return float(max(values.max(initial=0.0), -values.min(initial=0.0)))


class ScaledMatrix:
    """L A R of a matrix A that changes its values and keeps its pattern: its upper triangle, or all of it, in CSR form.

    Attributes
    ----------
    stored
        The scaled entries.
    left, right
        The diagonals of L and R, the same for a symmetric matrix.
    """

    def __init__(self, indptr: Any, indices: Any, dtype: np.dtype[Any], *, symmetric: bool) -> None:
        size = len(indptr) - 1
        self.stored = csr_matrix((np.empty(len(indices), dtype), indices, indptr), shape=(size, size))
        self.symmetric = symmetric
        # of the same memory; the diagonal entries of an upper triangle come first in their rows
        self._turned, self._diagonal = self.stored.T, self.stored.indptr[:-1]
        self.left = self.right = np.ones(size)

    def fill(self, values: npt.NDArray[Any]) -> None:
        """Take other values, and scale them."""
        np.copyto(self.stored.data, values)
        own = self.stored.indptr, self.stored.indices, self.stored.data
        self.left, self.right = equilibrate(*own, symmetric=self.symmetric)

    def product(
        self, vectors: npt.NDArray[Any], *, moduli: bool = False, transposed: bool = False
    ) -> npt.NDArray[Any]:
        """The scaled matrix, or that of the moduli of its entries, times `vectors`, shape (n, k)."""
        stored = abs(self.stored) if moduli else self.stored
        if not self.symmetric and not transposed:
            return np.asarray(stored @ vectors)
        turned = stored.T if moduli else self._turned
        if not self.symmetric:
            return np.asarray(turned @ vectors)
        return np.asarray(stored @ vectors + turned @ vectors - stored.data[self._diagonal, None] * vectors)
