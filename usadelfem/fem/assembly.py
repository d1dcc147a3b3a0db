"""Element residuals and tangents to a residual vector and a sparse tangent over the free nodes."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..physics.jit import announce_compilation, kernel, readonly
from .coefficients import Coefficients
from .element import BLOCK, UNKNOWNS, element_terms
from .junctions import Junctions, junction_elements
from .space import Index, Real, Space

Complex = NDArray[np.complex128]
_NONE = np.empty(0)

_CHUNK_BYTES = 2**20  # element matrices of one chunk stay in the second-level cache


@kernel
def scatter_residual(first: int, cells: Any, local: Any, scale: Any, out: Any, out_scale: Any) -> None:
    """Add element residuals and their scales to the nodes."""
    for e in range(local.shape[0]):
        for i in range(cells.shape[1]):
            n = cells[first + e, i]
            out_scale[n] += scale[e, i]
            for c in range(4):
                out[n, c] += local[e, i, c]


@kernel
def scatter_tangent(first: int, slots: Any, flipped: Any, pointer: Any, rows: Any, local: Any, values: Any) -> None:
    """Add element blocks to the upper triangle in CSR order; slots are block numbers, -1 where a node is clamped."""
    for e in range(local.shape[0]):
        for p in range(slots.shape[1]):
            slot = slots[first + e, p]
            if slot < 0:
                continue
            row = rows[slot]
            diagonal = pointer[row]
            length = pointer[row + 1] - diagonal
            base = BLOCK * diagonal - 28 * row  # earlier rows of nodes: 64 per block, diagonal blocks 28 fewer
            for r in range(UNKNOWNS):
                start = base + r * UNKNOWNS * length - r * (r - 1) // 2 + UNKNOWNS * (slot - diagonal) - r
                for c in range(r if slot == diagonal else 0, UNKNOWNS):
                    if flipped[first + e, p]:
                        values[start + c] += local[e, p, c, r]
                    else:
                        values[start + c] += local[e, p, r, c]


@kernel
def fill_pattern(pointer: Any, columns: Any, indptr: Any, indices: Any) -> None:
    """Scalar upper CSR pattern of a node pattern with dense 8x8 blocks."""
    n = 0
    for node in range(len(pointer) - 1):
        for r in range(UNKNOWNS):
            for slot in range(pointer[node], pointer[node + 1]):
                for c in range(r if slot == pointer[node] else 0, UNKNOWNS):
                    indices[n] = UNKNOWNS * columns[slot] + c
                    n += 1
            indptr[UNKNOWNS * node + r + 1] = n


@dataclass(frozen=True, eq=False, repr=False)
class Slots:
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
class Pattern:
    """The upper-triangular CSR matrix over the free nodes.

    Attributes
    ----------
    free
        The free nodes; unknown 8 p + r of the linear system belongs to node free[p].
    cells, facets
        Where the blocks of cells and of facets of interfaces go.
    pointer, rows
        First block of each row of nodes, and the row of each block.
    indptr, indices
        CSR structure of the upper triangle in scalar unknowns.
    """

    free: Index
    cells: Slots
    facets: Slots
    pointer: Index
    rows: Index
    indptr: NDArray[np.int32]
    indices: NDArray[np.int32]


def build_pattern(space: Space, clamped: Index, junction_nodes: Index | None = None) -> Pattern:
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
    indptr = np.zeros(UNKNOWNS * len(free) + 1, np.int32)
    indices = np.empty(BLOCK * len(unique) - 28 * len(free), np.int32)
    fill_pattern(pointer, columns, indptr, indices)
    return Pattern(free, slots[0], slots[1], pointer, rows, indptr, indices)


def _pairs(numbers: Index) -> tuple[Index, Index, NDArray[np.bool_]]:
    """The lower and the higher number of every local pair i <= j of elements, and whether they are exchanged."""
    second, first = np.tril_indices(numbers.shape[1])
    one, two = numbers[:, first], numbers[:, second]
    return np.minimum(one, two), np.maximum(one, two), np.ascontiguousarray(one > two)


@dataclass(eq=False)
class Timings:
    """Seconds spent in the element kernels and in scattering, and the number of quadrature points visited."""

    kernels: float = 0.0
    scatter: float = 0.0
    points: int = 0


def assemble(
    space: Space, coefficients: Coefficients, w: float, state: Complex, *, pattern: Pattern | None = None,
    chosen: Index | None = None, timings: Timings | None = None,
) -> tuple[Complex, Real, Real]:  # fmt: skip
    """Gradient of the functional at Matsubara frequency w and, if a pattern is given, its Hessian.

    Parameters
    ----------
    space, coefficients
        The discretisation and the coefficients at its quadrature points.
    w
        Matsubara frequency.
    state
        The Riccati matrix a at the nodes, shape (nodes, 4).
    pattern
        Where to put the Hessian; None: residual only.
    chosen
        Cells to sum over; None: all.
    timings
        A record to which the seconds spent here are added.

    Returns
    -------
    residual, scale, values
        dF/d(Re a) + i dF/d(Im a), shape (nodes, 4); the sum of moduli of the terms in it, shape (nodes,); the values
        of the upper-triangular CSR tangent over the free nodes (empty without pattern).
    """
    announce_compilation(element_terms)
    everything = slice(None) if chosen is None else chosen
    part = coefficients.chosen(everything)
    tables = (array[everything] for array in (space.cells, space.inverse, space.dx))
    cells, inverse, dx, table, kinds, axes, state = readonly(*tables, part.table, part.kinds, part.pairs, state)
    local = cells.shape[1]
    pairs = local * (local + 1) // 2 if pattern else 0
    chunk = max(8, _CHUNK_BYTES // (8 * (BLOCK * pairs + 9 * local)))
    residual = np.zeros((space.nodes.shape[1], 4), complex)
    scale = np.zeros(space.nodes.shape[1])
    values = np.zeros(len(pattern.indices) if pattern else 0)
    element = np.empty((chunk, local, 4), complex), np.empty((chunk, local)), np.empty((chunk, pairs, 8, 8))
    clock = timings or Timings()
    for first in range(0, len(cells), chunk):
        r, s, t = (array[: len(cells) - first] for array in element)
        start = perf_counter()
        element_terms(
            w, state, first, cells, space.phi, space.dphi, inverse, dx, table, kinds, axes, pairs > 0, r, s, t
        )  # fmt: skip
        middle = perf_counter()
        scatter_residual(first, cells, r, s, residual, scale)
        if pattern:
            scatter_tangent(
                first, pattern.cells.number, pattern.cells.flipped, pattern.pointer, pattern.rows, t, values
            )
        clock.kernels += middle - start
        clock.scatter += perf_counter() - middle
    clock.points += dx.size
    return residual, scale, values


def add_junctions(
    junctions: Junctions, state: Complex, residual: Complex, scale: Real, *, pattern: Pattern | None = None,
    values: Real = _NONE, sides: NDArray[np.bool_] | None = None,
) -> None:  # fmt: skip
    """Add the interface terms to what `assemble` gave: residual, its scale, and with a pattern the tangent.

    Of the residual only chosen sides (2, facets) of the facets; None: both.
    """
    if not len(junctions.facets):
        return
    arrays = junctions.nodes, junctions.phi, junctions.dx, junctions.table, junctions.kinds, junctions.channels
    nodes, phi, dx, table, kinds, channels, state = readonly(*arrays, state)
    count = nodes.shape[1]
    pairs = count * (count + 1) // 2 if pattern else 0
    r, s = np.empty((*nodes.shape, 4), complex), np.empty(nodes.shape)
    t = np.empty((len(nodes), pairs, UNKNOWNS, UNKNOWNS))
    junction_elements(state, nodes, phi, dx, table, kinds, channels, junctions.linear, pairs > 0, r, s, t)
    if sides is not None:
        r[~np.repeat(sides.T, count // 2, axis=1)] = 0.0
    scatter_residual(0, nodes, r, s, residual, scale)
    if pattern:
        own = pattern.facets
        scatter_tangent(0, own.number, own.flipped, pattern.pointer, pattern.rows, t, values)


def junction_residual(junctions: Junctions, state: Complex, sides: NDArray[np.bool_]) -> Complex:
    """Gradient of the interface terms on chosen sides (2, facets) of the facets, shape (nodes, 4)."""
    # A node may lie on side 1 of one facet and on side 2 of another, where barriers meet.
    residual, rows = np.zeros_like(state), np.flatnonzero(sides.any(axis=0))
    add_junctions(junctions.chosen(rows), state, residual, np.zeros(len(state)), sides=sides[:, rows])
    return residual
