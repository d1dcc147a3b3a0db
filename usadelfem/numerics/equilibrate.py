"""Scaling of symmetric matrices to entries of order one, so that no unit of length or energy reaches a solver."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from ..physics.jit import kernel, readonly

Real = npt.NDArray[np.float64]

# Passes over the matrix; each takes the square root of what the rows still differ by.
PASSES = 4


@kernel
def row_maxima(indptr: Any, indices: Any, values: Any, factors: Any, out: Any) -> None:
    """Largest modulus in every row of the scaled symmetric matrix whose upper triangle is given."""
    out[:] = 0.0
    for i in range(len(indptr) - 1):
        for n in range(indptr[i], indptr[i + 1]):
            j = indices[n]
            size = abs(values[n]) * factors[i] * factors[j]
            out[i] = max(out[i], size)
            out[j] = max(out[j], size)


@kernel
def scale_symmetric(indptr: Any, indices: Any, factors: Any, values: Any) -> None:
    """Multiply rows and columns of the symmetric matrix by factors, in place."""
    for i in range(len(indptr) - 1):
        for n in range(indptr[i], indptr[i + 1]):
            values[n] *= factors[i] * factors[indices[n]]


def equilibrate(indptr: Any, indices: Any, values: Any) -> Real:
    """Scale a symmetric matrix D A D in place so that its largest entries are of order one in every row; returns D.

    Iterated square roots of the row maxima (D. Ruiz, report RAL-TR-2001-034), rounded to powers of two, which scale
    without rounding errors.

    Parameters
    ----------
    indptr, indices, values
        Upper triangle in CSR form.

    Returns
    -------
    array
        The diagonal of D, shape (rows,); 1 for empty rows.
    """
    indptr, indices = readonly(indptr, indices)
    factors, largest = np.ones(len(indptr) - 1), np.empty(len(indptr) - 1)
    # First as a whole: squares of small units would underflow.
    top = float(abs(values).max(initial=0.0))
    if top > 0:
        factors *= 2.0 ** -np.round(0.5 * np.log2(top))
    for _ in range(PASSES):
        row_maxima(indptr, indices, values, factors, largest)
        used = largest > 0
        if (abs(np.log2(largest[used])) <= 2).all():
            break
        factors[used] *= 2.0 ** -np.round(0.5 * np.log2(largest[used]))
    scale_symmetric(indptr, indices, factors, values)
    return factors
