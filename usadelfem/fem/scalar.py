"""Sparse matrices of element matrices, and the factors of symmetric positive ones: mass and stiffness."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.linalg import splu

from .space import Index, Real


def scalar_matrix(cells: Index, local: Real, count: int) -> Any:
    """The matrix (count, count) of element matrices (cells, local, local) over the unknowns `cells`, in CSR form."""
    rows, columns = np.broadcast_to(cells[:, :, None], local.shape), np.broadcast_to(cells[:, None, :], local.shape)
    return coo_array((local.ravel(), (rows.ravel(), columns.ravel())), shape=(count, count)).tocsr()


def factorize_positive(matrix: Any) -> Any:
    """Factors of a symmetric positive definite matrix, with `solve(rhs)`."""
    options = {"SymmetricMode": True}
    return splu(matrix.tocsc(), permc_spec="MMD_AT_PLUS_A", options=options, diag_pivot_thresh=0.0)
