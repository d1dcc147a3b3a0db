"""SciPy's SuperLU for matrices of symmetric structure, with an ordering of nodes."""

from typing import Any, final

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from numpy.linalg import LinAlgError
from scipy.sparse.csgraph import connected_components, dijkstra
from scipy.sparse.linalg import SuperLU, splu

from .pardiso import Indices, Numbers

_PIVOT_THRESHOLD = 0.001  # 0.1 doubles the fill of indefinite matrices and gains one digit before refinement
_LEAF_NODES = 40


@final
class SuperLUBackend:
    """SciPy's SuperLU on the full matrix, its nodes of `block` unknowns in nested-dissection order."""

    name = "superlu"
    note = "SuperLU"

    def __init__(
        self, indptr: Indices, indices: Indices, block: int, dtype: np.dtype[Any], *, symmetric: bool = True
    ) -> None:  # fmt: skip
        size = indptr.size - 1
        rows = np.repeat(np.arange(size, dtype=np.int32), np.diff(indptr))
        self._order = (_node_order(rows // block, indices // block)[:, None] * block + np.arange(block)).ravel()
        place = np.argsort(self._order).astype(np.int32)
        entries = np.arange(indices.size)
        mirrored = np.flatnonzero(rows != indices) if symmetric else np.empty(0, np.intp)
        self._source = np.concatenate([entries, mirrored])
        rows, columns = place[rows], place[indices]
        rows, columns = np.append(rows, columns[mirrored]), np.append(columns, rows[mirrored])
        slots = np.lexsort((rows, columns))
        self._source = self._source[slots]
        starts = np.append(0, np.cumsum(np.bincount(columns, minlength=size))).astype(np.int32)
        self._matrix = sp.csc_matrix((np.zeros(rows.size, dtype), rows[slots], starts), shape=(size, size))
        self._factors: dict[int, SuperLU] = {}
        self.factor_bytes = 0

    def factorize(self, values: Numbers, slot: int) -> None:
        """Factorise into a slot. Raises LinAlgError with SuperLU's error."""
        np.take(values, self._source, out=self._matrix.data)
        self._factors.pop(slot, None)
        try:
            factor = splu(
                self._matrix,
                permc_spec="NATURAL",
                diag_pivot_thresh=_PIVOT_THRESHOLD,
                options={"SymmetricMode": True},
            )
        except RuntimeError as error:
            raise LinAlgError(f"SuperLU factorisation failed: {error}") from error
        self._factors[slot] = factor
        self.factor_bytes = int(factor.nnz) * (4 + self._matrix.dtype.itemsize)

    def solve(self, rhs: Numbers, slot: int, *, transposed: bool = False) -> Numbers:
        """Solve for `rhs` of shape (n, k) with the factor in a slot."""
        result = np.empty_like(rhs)
        result[self._order] = self._factors[slot].solve(rhs[self._order], trans="T" if transposed else "N")
        return result

    def release(self) -> None:
        """Free the memory of all factors."""
        self._factors = {}


def _node_order(rows: Indices, columns: Indices) -> npt.NDArray[np.intp]:
    """Nested dissection of the graph with these edges: parts before the separators between them."""
    size = int(rows.max()) + 1
    graph = sp.csr_matrix((np.ones(rows.size, np.int32), (rows, columns)), shape=(size, size))
    graph = (graph + graph.T).tocsr()
    graph.data = np.ones(graph.nnz)
    waiting, backwards = [np.arange(size)], []
    while waiting:
        nodes = waiting.pop()
        parts = _dissected(graph[nodes][:, nodes]) if nodes.size > _LEAF_NODES else None
        *others, separator = parts or [np.arange(nodes.size)]
        backwards.append(nodes[separator])
        waiting.extend(nodes[part] for part in others)
    return np.concatenate(backwards[::-1])


def _dissected(graph: sp.csr_matrix) -> list[npt.NDArray[np.intp]] | None:
    """The nodes of each part, those of the separator last; None where no separator is worth it."""
    count, parts = connected_components(graph, directed=False)
    if count > 1:
        return np.split(np.argsort(parts, kind="stable"), np.cumsum(np.bincount(parts)))
    root = 0
    for _ in range(3):
        distance = dijkstra(graph, indices=root, unweighted=True)
        root = int(np.argmax(distance))
    layer = distance.astype(np.intp)
    sizes = np.bincount(layer)
    before = np.cumsum(sizes) - sizes
    after = layer.size - before - sizes
    balanced = np.flatnonzero(np.minimum(before, after) >= 0.3 * layer.size)
    if balanced.size == 0:
        return None
    cost = sizes * (1 + 0.5 * np.abs(before - after) / layer.size)
    middle = balanced[np.argmin(cost[balanced])]
    beyond = (graph @ (layer == middle + 1)) > 0
    separator = (layer == middle) & beyond
    return [np.flatnonzero((layer <= middle) & ~separator), np.flatnonzero(layer > middle), np.flatnonzero(separator)]
