"""Point gradients and Hessians of the functional to a residual vector and a sparse tangent.

On the Matsubara manifold b = sigma_y a* sigma_y a node has 8 real unknowns: real and imaginary part of a00, a01, a10,
a11, interleaved, so that the state is a complex array (nodes, 4). The functional F is real there; with z the variation
of the entries of a, dF = 2 Re z G and d2F = 2 Re [z K z' + z K~ z'*] with complex 4x4 matrices K, K~ per node pair.
"""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..physics.functional import COEFFICIENTS, N0, evaluate, modulus
from ..physics.jit import announce_compilation, formula, kernel
from ..physics.nambu import tilde
from .space import Index, Real, Space

Complex = NDArray[np.complex128]

UNKNOWNS = 8
_BLOCK = UNKNOWNS * UNKNOWNS
_CHUNK_BYTES = 2**20  # element matrices of one chunk stay in the second-level cache


@formula
def gradients(dphi: Any, inverse: Any, out: Any) -> None:
    """Physical gradients (local nodes, dim) of the basis functions from the reference ones."""
    for i in range(dphi.shape[0]):
        for k in range(dphi.shape[1]):
            out[i, k] = 0.0
            for m in range(dphi.shape[1]):
                out[i, k] += dphi[i, m] * inverse[m, k]


@formula
def interpolate(state: Any, nodes: Any, phi: Any, dphi: Any, da: Any, db: Any) -> Any:
    """a at a point; d_k a and d_k b are written to rows k of da, db."""
    da[:] = 0.0
    a0, a1, a2, a3 = 0j, 0j, 0j, 0j
    for i in range(len(nodes)):
        n = nodes[i]
        a0, a1 = a0 + phi[i] * state[n, 0], a1 + phi[i] * state[n, 1]
        a2, a3 = a2 + phi[i] * state[n, 2], a3 + phi[i] * state[n, 3]
        for k in range(da.shape[0]):
            for c in range(4):
                da[k, c] += dphi[i, k] * state[n, c]
    for k in range(da.shape[0]):
        db[k, 0], db[k, 1], db[k, 2], db[k, 3] = tilde((da[k, 0], da[k, 1], da[k, 2], da[k, 3]))
    return a0, a1, a2, a3


@formula
def fold(block: Any) -> None:
    """Columns of db (4..7) to columns of the conjugate of da, by db = sigma_y da* sigma_y."""
    for r in range(4):
        b0, b1, b2, b3 = block[r, 4], block[r, 5], block[r, 6], block[r, 7]
        block[r, 4], block[r, 5], block[r, 6], block[r, 7] = b3, -b2, -b1, b0


@formula
def adjoint(block: Any, out: Any) -> None:
    """The block with rows and columns exchanged: K^T for da, K~^dagger for its conjugate."""
    for r in range(4):
        for c in range(4):
            out[r, c] = block[c, r]
            out[r, 4 + c] = block[c, 4 + r].conjugate()


@formula
def add_gradient(
    weight: float, phi: Any, dphi: Any, gradient: Any, size: float, flux: Any, residual: Any, scale: Any
) -> None:
    """Residual of the local nodes as complex numbers dF/dx + i dF/dy, and the size of the terms summed in it."""
    for i in range(len(phi)):
        r0, r1, r2, r3 = phi[i] * gradient[0], phi[i] * gradient[2], phi[i] * gradient[1], phi[i] * gradient[3]
        total = abs(phi[i]) * size
        for k in range(flux.shape[0]):
            g = dphi[i, k]
            r0, r1, r2, r3 = r0 + g * flux[k, 0], r1 + g * flux[k, 2], r2 + g * flux[k, 1], r3 + g * flux[k, 3]
            total += abs(g) * modulus((flux[k, 0], flux[k, 1], flux[k, 2], flux[k, 3]))
        residual[i, 0] += 2.0 * weight * r0.conjugate()
        residual[i, 1] += 2.0 * weight * r1.conjugate()
        residual[i, 2] += 2.0 * weight * r2.conjugate()
        residual[i, 3] += 2.0 * weight * r3.conjugate()
        scale[i] += 2.0 * weight * total


@formula
def add_hessian(weight: float, phi: Any, dphi: Any, h00: Any, h0k: Any, hk0: Any, hkk: Any, work: Any, out: Any) -> None:
    """Contract the point Hessian, seen as 64 real numbers per block, with the basis functions of all pairs i <= j."""
    dim = dphi.shape[1]
    pair = 0
    for j in range(len(phi)):
        pj = weight * phi[j]
        for m in range(_BLOCK):
            work[0, m] = pj * h00[m]
        for k in range(dim):
            gj = weight * dphi[j, k]
            for m in range(_BLOCK):
                work[0, m] += gj * h0k[k, m]
                work[1 + k, m] = pj * hk0[k, m] + gj * hkk[m]
        for i in range(j + 1):
            pi = phi[i]
            for m in range(_BLOCK):
                out[pair, m] += pi * work[0, m]
            for k in range(dim):
                gi = dphi[i, k]
                for m in range(_BLOCK):
                    out[pair, m] += gi * work[1 + k, m]
            pair += 1


@formula
def to_real(block: Any, out: Any) -> None:
    """2 Re [z K z' + z K~ z'*] as a real 8x8 matrix over interleaved real and imaginary parts."""
    for r in range(4):
        for c in range(4):
            k, kc = block[r, c], block[r, 4 + c]
            out[2 * r, 2 * c] = 2.0 * (k.real + kc.real)
            out[2 * r, 2 * c + 1] = 2.0 * (kc.imag - k.imag)
            out[2 * r + 1, 2 * c] = -2.0 * (k.imag + kc.imag)
            out[2 * r + 1, 2 * c + 1] = 2.0 * (kc.real - k.real)


@kernel
def element_terms(
    w: Any, state: Any, first: int, cells: Any, phi: Any, dphi: Any, inverse: Any, dx: Any, coefficients: Any,
    hessian: bool, residual: Any, scale: Any, tangent: Any,
) -> None:  # fmt: skip
    """Residual (cells, local, 4), its scale and tangent (cells, pairs, 8, 8) of the cells first, first + 1, ..."""
    points, nodes, dim = dphi.shape
    grad = np.empty((nodes, dim))
    da, db = np.empty((dim, 4), np.complex128), np.empty((dim, 4), np.complex128)
    flux, hkk = np.empty((dim, 4), np.complex128), np.zeros((4, 8), np.complex128)
    h00, h0k = np.empty((4, 8), np.complex128), np.empty((dim, 4, 8), np.complex128)
    hk0, pairs = np.empty((dim, 4, 8), np.complex128), np.empty((nodes * (nodes + 1) // 2, 4, 8), np.complex128)
    flat00, flatkk = h00.reshape(32).view(np.float64), hkk.reshape(32).view(np.float64)
    flat0k, flatk0 = h0k.reshape(dim, 32).view(np.float64), hk0.reshape(dim, 32).view(np.float64)
    flat, work = pairs.reshape(len(pairs), 32).view(np.float64), np.empty((1 + dim, _BLOCK))
    for local in range(residual.shape[0]):
        e = first + local
        residual[local] = 0.0
        scale[local] = 0.0
        pairs[:] = 0.0
        for q in range(points):
            gradients(dphi[q], inverse[e, q if inverse.shape[1] > 1 else 0], grad)
            a = interpolate(state, cells[e], phi[q], grad, da, db)
            c = coefficients[e, q]
            g, size = evaluate(w, c, a, tilde(a), da, db, hessian, flux, h00, hk0, hkk[:, 4:])
            weight = dx[e, q] * c[N0]
            add_gradient(weight, phi[q], grad, g, size, flux, residual[local], scale[local])
            if hessian:
                fold(h00)
                fold(hkk)
                for k in range(dim):
                    fold(hk0[k])
                    adjoint(hk0[k], h0k[k])
                add_hessian(weight, phi[q], grad, flat00, flat0k, flatk0, flatkk, work, flat)
        if hessian:
            for p in range(len(pairs)):
                to_real(pairs[p], tangent[local, p])


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
    """Add element blocks to the upper triangle in CSR order; `slots` holds block numbers, -1 where a node is clamped."""
    for e in range(local.shape[0]):
        for p in range(slots.shape[1]):
            slot = slots[first + e, p]
            if slot < 0:
                continue
            row = rows[slot]
            diagonal = pointer[row]
            length = pointer[row + 1] - diagonal
            base = _BLOCK * diagonal - 28 * row  # earlier rows of nodes: 64 per block, diagonal blocks 28 fewer
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


@dataclass(frozen=True, eq=False)
class Pattern:
    """Where the blocks of element node pairs go in the upper-triangular CSR matrix over the free nodes.

    Attributes
    ----------
    free
        The free nodes; unknown 8 p + r of the linear system belongs to node free[p].
    slots, flipped
        Block number of each local pair (i <= j) of each cell, -1 where a node is clamped, and whether the block is
        stored transposed; shape (cells, pairs).
    pointer, rows
        First block of each row of nodes, and the row of each block.
    indptr, indices
        CSR structure of the upper triangle in scalar unknowns.
    """

    free: Index
    slots: Index
    flipped: NDArray[np.bool_]
    pointer: Index
    rows: Index
    indptr: NDArray[np.int32]
    indices: NDArray[np.int32]


def build_pattern(space: Space, clamped: Index) -> Pattern:
    """Sparsity of the tangent over all nodes but the clamped ones, computed once per device."""
    number = np.full(space.nodes.shape[1], 0, np.int64)
    number[clamped] = -1
    free = np.flatnonzero(number == 0)
    number[free] = np.arange(len(free))
    local = space.cells.shape[1]
    upper = [(i, j) for j in range(local) for i in range(j + 1)]
    first, second = (number[space.cells[:, [pair[side] for pair in upper]]] for side in (0, 1))
    low, high = np.minimum(first, second), np.maximum(first, second)
    key = np.where(low >= 0, low * len(free) + high, -1)
    unique, slots = np.unique(key, return_inverse=True)
    slots = slots.reshape(key.shape)
    if len(unique) and unique[0] < 0:
        unique, slots = unique[1:], slots - 1
    rows, columns = np.divmod(unique, max(len(free), 1))
    pointer = np.concatenate(([0], np.cumsum(np.bincount(rows, minlength=len(free)))))
    indptr = np.zeros(UNKNOWNS * len(free) + 1, np.int32)
    indices = np.empty(_BLOCK * len(unique) - 28 * len(free), np.int32)
    fill_pattern(pointer, columns, indptr, indices)
    return Pattern(free, slots, first > second, pointer, rows, indptr, indices)


@dataclass(eq=False)
class Timings:
    """Seconds spent in the element kernels and in scattering, and the number of quadrature points visited."""

    kernels: float = 0.0
    scatter: float = 0.0
    points: int = 0


def assemble(
    space: Space, coefficients: Real, w: float, state: Complex, *, pattern: Pattern | None = None,
    chosen: Index | None = None, timings: Timings | None = None,
) -> tuple[Complex, Real, Real]:  # fmt: skip
    """Gradient of the functional at Matsubara frequency w and, if a pattern is given, its Hessian.

    Parameters
    ----------
    space, coefficients
        The discretisation and the coefficients at its quadrature points, shape (cells, points, COEFFICIENTS).
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
    cells, inverse, dx = space.cells, space.inverse, space.dx
    if chosen is not None:
        cells, inverse, dx, coefficients = cells[chosen], inverse[chosen], dx[chosen], coefficients[chosen]
    local = cells.shape[1]
    pairs = local * (local + 1) // 2 if pattern else 0
    chunk = max(8, _CHUNK_BYTES // (8 * (_BLOCK * pairs + 9 * local)))
    residual = np.zeros((space.nodes.shape[1], 4), complex)
    scale = np.zeros(space.nodes.shape[1])
    values = np.zeros(len(pattern.indices) if pattern else 0)
    element = np.empty((chunk, local, 4), complex), np.empty((chunk, local)), np.empty((chunk, pairs, 8, 8))
    clock = timings or Timings()
    for first in range(0, len(cells), chunk):
        r, s, t = (array[: len(cells) - first] for array in element)
        start = perf_counter()
        element_terms(w, state, first, cells, space.phi, space.dphi, inverse, dx, coefficients, pairs > 0, r, s, t)
        middle = perf_counter()
        scatter_residual(first, cells, r, s, residual, scale)
        if pattern:
            scatter_tangent(first, pattern.slots, pattern.flipped, pattern.pointer, pattern.rows, t, values)
        clock.kernels += middle - start
        clock.scatter += perf_counter() - middle
    clock.points += dx.size
    return residual, scale, values


def empty_coefficients(space: Space) -> Real:
    """Coefficient table of shape (cells, points, COEFFICIENTS), zero everywhere."""
    return np.zeros((*space.dx.shape, COEFFICIENTS))
