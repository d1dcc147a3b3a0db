"""Smoothed aggregation: prolongations between ever fewer nodes, made from a scalar matrix.

P. Vanek, J. Mandel and M. Brezina, Computing 56, 179 (1996). Functions that are constant, which a diffusion operator
hardly sees, are prolonged exactly.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from ..compilation.jit import kernel, readonly

COARSEST = 100  # nodes
# Nodes whose coupling is below this part of the root of their diagonal entries do not share an aggregate.
WEAK = 0.0
SMOOTHING = 4 / 3


@kernel("sparse matrices")
def aggregate(indptr: Any, indices: Any, owner: Any) -> int:
    """Number the aggregates of the nodes of a graph in `owner`, -1 for nodes without neighbours; returns how many.

    First every node whose neighbours are all free takes them, then those left join a neighbour's aggregate, and what
    remains takes its free neighbours.
    """
    owner[:] = -1
    count = 0
    for i in range(len(owner)):
        free = owner[i] < 0 and indptr[i + 1] > indptr[i]
        for n in range(indptr[i], indptr[i + 1]):
            free = free and owner[indices[n]] < 0
        if free:
            owner[i] = count
            for n in range(indptr[i], indptr[i + 1]):
                owner[indices[n]] = count
            count += 1
    for i in range(len(owner)):
        if owner[i] == -1:
            for n in range(indptr[i], indptr[i + 1]):
                if owner[indices[n]] >= 0:
                    owner[i] = -2 - owner[indices[n]]  # not yet to be joined by others
                    break
    for i in range(len(owner)):
        if owner[i] < -1:
            owner[i] = -2 - owner[i]
    for i in range(len(owner)):
        if owner[i] == -1 and indptr[i + 1] > indptr[i]:
            owner[i] = count
            for n in range(indptr[i], indptr[i + 1]):
                if owner[indices[n]] == -1:
                    owner[indices[n]] = count
            count += 1
    return count


def prolongations(matrix: Any) -> list[Any]:
    """Prolongations from level to level until at most COARSEST nodes are left, or no fewer.

    Parameters
    ----------
    matrix
        Symmetric scalar matrix in CSR form with a positive diagonal, shape (nodes, nodes).

    Returns
    -------
    list of scipy.sparse.csr_matrix
        Shapes (nodes, nodes of the next level).
    """
    found: list[Any] = []
    while matrix.shape[0] > COARSEST:
        prolongation = _prolongation(matrix)
        if not 0 < prolongation.shape[1] < 0.9 * matrix.shape[0]:
            break
        found.append(prolongation)
        matrix = (prolongation.T.tocsr() @ (matrix @ prolongation)).tocsr()
    return found


def _prolongation(matrix: Any) -> Any:
    diagonal = matrix.diagonal()
    rows = np.repeat(np.arange(len(diagonal)), np.diff(matrix.indptr))
    sizes = abs(matrix.data)
    strong = (rows != matrix.indices) & (sizes > WEAK * np.sqrt(diagonal[rows] * diagonal[matrix.indices]))
    counts = np.bincount(rows[strong], minlength=len(diagonal))
    indptr, indices = readonly(np.append(0, np.cumsum(counts)), matrix.indices[strong])
    owner: npt.NDArray[np.int64] = np.empty(len(diagonal), np.int64)
    count = int(aggregate(indptr, indices, owner))
    inside = np.flatnonzero(owner >= 0)
    shape = len(diagonal), count
    piecewise = sp.csr_matrix((np.ones(len(inside)), (inside, owner[inside])), shape=shape)
    radius = float((np.bincount(rows, sizes, len(diagonal)) / diagonal).max())  # bound of that of D^-1 A
    smoothed = piecewise - sp.diags(SMOOTHING / radius / diagonal) @ (matrix @ piecewise)
    return smoothed.tocsr()
