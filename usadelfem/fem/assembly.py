"""Element residuals and tangents to a residual vector and a sparse tangent over the free nodes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compilation.jit import kernel, readonly
from ..compilation.threads import in_order
from ..space.pattern import Pattern, Slots
from ..space.space import Index, Real, Space
from .cells import element_terms
from .coefficients import Coefficients
from .interfaces import Junctions, junction_elements
from .workspace import junction_space, point_space, tangent_space

Complex = NDArray[np.complex128]
Elements = Callable[..., None]
_NONE = np.empty(0)

_CHUNK_BYTES = 2**20  # element matrices of one chunk stay in the second-level cache


@kernel("sparse matrices")
def scatter_residual(first: int, cells: Any, local: Any, scale: Any, out: Any, out_scale: Any) -> None:
    """Add element residuals and their scales to the nodes."""
    for e in range(local.shape[0]):
        for i in range(cells.shape[1]):
            n = cells[first + e, i]
            out_scale[n] += scale[e, i]
            for c in range(local.shape[2]):
                out[n, c] += local[e, i, c]


@kernel("sparse matrices")
def scatter_tangent(
    half: tuple[float, ...], first: int, slots: Any, flipped: Any, pointer: Any, rows: Any, local: Any, values: Any
) -> None:  # fmt: skip
    """Add element blocks to the upper triangle in CSR order; slots are block numbers, -1 where a node is clamped.

    `half` has half as many entries as a node has unknowns, which the compiler then knows.
    """
    size = 2 * len(half)
    lower = size * (size - 1) // 2
    for e in range(local.shape[0]):
        for p in range(slots.shape[1]):
            slot = slots[first + e, p]
            if slot < 0:
                continue
            row, diagonal = rows[slot], pointer[rows[slot]]
            length = pointer[row + 1] - diagonal
            base = size * size * diagonal - lower * row  # diagonal blocks of earlier rows hold their upper triangle
            transposed, on_diagonal = flipped[first + e, p], slot == diagonal
            for r in range(size):
                start = base + r * size * length - r * (r - 1) // 2 + size * (slot - diagonal) - r
                if on_diagonal:
                    for c in range(r, size):
                        values[start + c] += local[e, p, r, c]
                elif transposed:
                    for c in range(size):
                        values[start + c] += local[e, p, c, r]
                else:
                    for c in range(size):
                        values[start + c] += local[e, p, r, c]


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
        The discretisation and the coefficients at its quadrature points, in the frame of the sector.
    w
        Matsubara frequency.
    state
        The Riccati matrix a at the nodes, shape (nodes, n) with the n entries of a spin sector.
    pattern
        Where to put the Hessian; None: residual only.
    chosen
        Cells to sum over; None: all.
    timings
        A record to which the seconds spent here are added.

    Returns
    -------
    residual, scale, values
        dF/d(Re a) + i dF/d(Im a), shape (nodes, n); the sum of moduli of the terms in it, shape (nodes,); the values
        of the upper-triangular CSR tangent over the free nodes (empty without pattern).
    """
    rows = slice(None) if chosen is None else chosen
    part, arrays = coefficients.chosen(rows), (space.cells[rows], space.inverse[rows], space.dx[rows])
    cells, inverse, dx, table, kinds, axes, state, phi, dphi = readonly(
        *arrays, part.table, part.kinds, part.pairs, state, space.phi, space.dphi
    )
    like, nodes = (0j,) * state.shape[1], cells.shape[1]

    def in_space() -> Elements:
        point = point_space(len(like), space.dim, nodes)
        matrices = tangent_space(point.h00, point.hk0, point.hkk, point.hkl, nodes)

        def elements(first: int, hessian: bool, r: Complex, s: Real, t: Real) -> None:
            element_terms(
                like, float(w), state, first, cells, phi, dphi, inverse, dx, table, kinds, axes, hessian, point,
                matrices, r, s, t,
            )  # fmt: skip

        return elements

    if timings:
        timings.points += dx.size
    return in_chunks(in_space, cells, state.shape, 2 * len(like), np.dtype(float), pattern, timings)


def in_chunks(
    in_space: Callable[[], Elements], cells: Index, shape: tuple[int, ...], unknowns: int, number: np.dtype[Any],
    pattern: Pattern | None, timings: Timings | None,
) -> tuple[Complex, Real, Any]:  # fmt: skip
    """Sum over the nodes what `in_space()(first, hessian, residual, scale, tangent)` writes for chunks of cells.

    `in_space` makes space to work in for a thread. Chunks are summed in their order, so that the result does not depend
    on the number of threads. Returns residual (shape), scale (nodes,) and the values of the tangent, `unknowns` per
    node and of type `number`.
    """
    _check_block(pattern, unknowns)
    local, clock = cells.shape[1], timings or Timings()
    pairs = local * (local + 1) // 2 if pattern else 0
    chunk = max(8, _CHUNK_BYTES // (number.itemsize * (unknowns**2 * pairs + 9 * local)))
    residual, scale = np.zeros(shape, complex), np.zeros(shape[0])
    values = np.zeros(len(pattern.indices) if pattern else 0, number)

    def worker() -> Callable[[int], tuple[Any, Any, Any]]:
        elements, size = in_space(), min(chunk, len(cells))
        r, s = np.empty((size, local, shape[1]), complex), np.empty((size, local))
        t = np.empty((size, pairs, unknowns, unknowns), number)

        def work(job: int) -> tuple[Any, Any, Any]:
            count = len(cells) - job * chunk
            elements(job * chunk, pairs > 0, r[:count], s[:count], t[:count])
            return r[:count], s[:count], t[:count]

        return work

    start = perf_counter()
    for job, (r, s, t) in enumerate(in_order(-(-len(cells) // chunk), worker)):
        middle = perf_counter()
        scatter_residual(job * chunk, cells, r, s, residual, scale)
        if pattern:
            scatter_blocks(job * chunk, pattern, pattern.cells, t, values)
        clock.kernels += middle - start
        start = perf_counter()
        clock.scatter += start - middle
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
    entries, count = state.shape[1], nodes.shape[1]
    pairs = count * (count + 1) // 2 if pattern else 0
    r, s = np.empty((*nodes.shape, entries), complex), np.empty(nodes.shape)
    t = np.empty((len(nodes), pairs, 2 * entries, 2 * entries))
    like, work = (0j,) * entries, junction_space(entries, float)
    junction_elements(like, state, nodes, phi, dx, table, kinds, channels, junctions.linear, pairs > 0, work, r, s, t)
    if sides is not None:
        r[~np.repeat(sides.T, count // 2, axis=1)] = 0.0
    scatter_junctions(nodes, r, s, t, residual, scale, pattern, values)


def scatter_junctions(
    nodes: Index, r: Complex, s: Real, t: Any, residual: Complex, scale: Real, pattern: Pattern | None, values: Any
) -> None:
    """Add what the kernel of the facets wrote to the nodes, and with a pattern to the tangent."""
    _check_block(pattern, t.shape[2])
    scatter_residual(0, nodes, r, s, residual, scale)
    if pattern:
        scatter_blocks(0, pattern, pattern.facets, t, values)


def scatter_blocks(first: int, pattern: Pattern, slots: Slots, blocks: Any, values: Any) -> None:
    """Add the blocks of elements first, first + 1, ... to the tangent."""
    number, flipped, pointer, rows = readonly(slots.number, slots.flipped, pattern.pointer, pattern.rows)
    scatter_tangent((0.0,) * (pattern.unknowns // 2), first, number, flipped, pointer, rows, blocks, values)


def _check_block(pattern: Pattern | None, unknowns: int) -> None:
    if pattern and pattern.unknowns != unknowns:
        raise ValueError(f"a pattern with {pattern.unknowns} unknowns per node does not fit a state with {unknowns}")


def junction_residual(junctions: Junctions, state: Complex, sides: NDArray[np.bool_]) -> Complex:
    """Gradient of the interface terms on chosen sides (2, facets) of the facets, shape (nodes, 4)."""
    # A node may lie on side 1 of one facet and on side 2 of another, where barriers meet.
    residual, rows = np.zeros_like(state), np.flatnonzero(sides.any(axis=0))
    add_junctions(junctions.chosen(rows), state, residual, np.zeros(len(state)), sides=sides[:, rows])
    return residual
