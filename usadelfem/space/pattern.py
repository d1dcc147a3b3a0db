"""Where the blocks of node pairs of elements go in a sparse matrix over the free nodes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compilation.jit import kernel
from ..frozen import FrozenRecord
from .space import Index, Space


@kernel("sparse matrices")
def fill_pattern(size: int, pointer: Any, columns: Any, indptr: Any, indices: Any) -> None:
    """Scalar upper CSR pattern of a node pattern with dense blocks of `size` rows."""
    n = 0
    for node in range(len(pointer) - 1):
        for r in range(size):
            for slot in range(pointer[node], pointer[node + 1]):
                for c in range(r if slot == pointer[node] else 0, size):
                    indices[n] = size * columns[slot] + c
                    n += 1
            indptr[size * node + r + 1] = n


@dataclass(frozen=True, eq=False, repr=False)
class Slots(FrozenRecord):
    """Where the blocks of the node pairs of a group of elements (cells, or facets of interfaces) go.

    Attributes
    ----------
    number, flipped
        Block number of each local pair (i <= j) of each element, -1 where a node is clamped, and whether the block is
        stored transposed; shape (elements, pairs).
    """

    number: Index
    flipped: NDArray[np.bool_]


@dataclass(frozen=True, eq=False, repr=False)
class Pattern(FrozenRecord):
    """The upper-triangular CSR matrix over the free nodes.

    Attributes
    ----------
    unknowns
        Unknowns of a node.
    free
        The free nodes; unknown `unknowns` p + r of the linear system belongs to node free[p].
    cells, facets
        Where the blocks of cells and of facets of interfaces go.
    pointer, rows
        First block of each row of nodes, and the row of each block.
    indptr, indices
        CSR structure of the upper triangle in scalar unknowns.
    """

    unknowns: int
    free: Index
    cells: Slots
    facets: Slots
    pointer: Index
    rows: Index
    indptr: NDArray[np.int32]
    indices: NDArray[np.int32]


def build_pattern(
    space: Space, clamped: Index, junction_nodes: Index | None = None, *, unknowns: int = 8
) -> Pattern:  # fmt: skip
    """Sparsity of the tangent over all nodes but the clamped ones, computed once per device.

    `junction_nodes` (facets, nodes of both sides) are the nodes that interfaces couple.
    """
    number = np.full(space.nodes.shape[1], 0, np.int64)
    number[clamped] = -1
    free = np.flatnonzero(number == 0)
    number[free] = np.arange(len(free))
    groups = (space.cells, np.zeros((0, 2), np.int64) if junction_nodes is None else junction_nodes)
    pairs = [_pairs(number[nodes]) for nodes in groups]
    keys = [np.where(low >= 0, low * len(free) + high, -1) for low, high, _ in pairs]
    unique, inverse = np.unique(np.concatenate([key.ravel() for key in keys]), return_inverse=True)
    if len(unique) and unique[0] < 0:
        unique, inverse = unique[1:], inverse - 1
    ends = np.cumsum([key.size for key in keys])
    slots = [
        Slots(part.reshape(key.shape), flipped)
        for part, key, (*_, flipped) in zip(np.split(inverse.ravel(), ends[:-1]), keys, pairs, strict=True)
    ]
    rows, columns = np.divmod(unique, max(len(free), 1))
    pointer = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=len(free)))))
    indptr = np.zeros(unknowns * len(free) + 1, np.int32)
    indices = np.empty(unknowns**2 * len(unique) - unknowns * (unknowns - 1) // 2 * len(free), np.int32)
    fill_pattern(unknowns, pointer, columns, indptr, indices)
    return Pattern(unknowns, free, slots[0], slots[1], pointer, rows, indptr, indices)


def _pairs(numbers: Index) -> tuple[Index, Index, NDArray[np.bool_]]:
    """The lower and the higher number of every local pair i <= j of elements, and whether they are exchanged."""
    second, first = np.tril_indices(numbers.shape[1])
    one, two = numbers[:, first], numbers[:, second]
    return np.minimum(one, two), np.maximum(one, two), np.ascontiguousarray(one > two)
