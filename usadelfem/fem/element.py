"""Element kernels: interpolation, point gradient and Hessian, contraction with the basis functions of a cell.

On the Matsubara manifold b = sigma_y a* sigma_y a node has 8 real unknowns: real and imaginary part of a00, a01, a10,
a11, interleaved, so that the state is a complex array (nodes, 4). The functional F is real there; with z the variation
of the entries of a, dF = 2 Re z G and d2F = 2 Re [z K z' + z K~ z'*] with complex 4x4 matrices K, K~ per node pair.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..physics.frame import ROWS, get, modulus, put
from ..physics.functional import COEFFICIENTS, N0, evaluate
from ..physics.gauge import add_connection, gauge_gradient, gauge_hessian
from ..physics.jit import formula, inlined, kernel
from ..physics.nambu import Spin, add, scale, tilde, transpose

UNKNOWNS = 8
BLOCK = UNKNOWNS * UNKNOWNS

# Bits of the kind of a cell: which terms its points have beyond those that every point has.
GAUGE, SPIN_CHARGE, LINEAR = 1, 2, 4


@formula
def gradients(dphi: Any, inverse: Any, out: Any) -> None:
    """Physical gradients (local nodes, dim) of the basis functions from the reference ones."""
    for i in range(dphi.shape[0]):
        for k in range(dphi.shape[1]):
            out[i, k] = 0.0
            for m in range(dphi.shape[1]):
                out[i, k] += dphi[i, m] * inverse[m, k]


@formula
def interpolate(state: Any, nodes: Any, weights: Any) -> Any:
    """The sum of the entries of a at nodes times weights: a where these are the values of the basis functions."""
    a0, a1, a2, a3 = 0j, 0j, 0j, 0j
    for i in range(len(nodes)):
        n, c = nodes[i], weights[i]
        a0, a1 = a0 + c * state[n, 0], a1 + c * state[n, 1]
        a2, a3 = a2 + c * state[n, 2], a3 + c * state[n, 3]
    return a0, a1, a2, a3


@inlined
def derivatives(state: Any, nodes: Any, dphi: Any, kind: int, coefficients: Any, a: Spin, da: Any, db: Any) -> None:
    """Write the covariant derivatives D_k a and D_k b at a point to rows k of da, db."""
    for k in range(len(da)):
        put(da, k, interpolate(state, nodes, dphi[:, k]))
    if kind & GAUGE:
        add_connection(coefficients, COEFFICIENTS, a, da)
    for k in range(len(da)):
        put(db, k, tilde(get(da, k)))


@inlined
def point_terms(
    w: Any, coefficients: Any, kind: int, pairs: Any, a: Spin, da: Any, db: Any, hessian: bool, flux: Any, h00: Any,
    hk0: Any, hkk: Any, hkl: Any, rows: Any,
) -> tuple[Spin, float]:  # fmt: skip
    """What `evaluate` gives, without the terms that a cell does not have; in the linearised problem its expansion.

    The linearised equation is the second variation of the functional at the normal metal, a = b = 0.
    """
    crossed, linear = kind & SPIN_CHARGE > 0, kind & LINEAR > 0
    zero = (0j, 0j, 0j, 0j)
    b = tilde(a)
    state, partner = (zero, zero) if linear else (a, b)
    if linear:
        da, db, given = np.zeros_like(da), np.zeros_like(db), db
    gradient, size = evaluate(
        w, coefficients, pairs if crossed else pairs[:0], state, partner, da, db, hessian or linear, flux, h00, hk0,
        hkk, hkl, rows,
    )  # fmt: skip
    if not linear:
        return gradient, size
    gradient, size = linear_rows(h00, 0, a, gradient, modulus(gradient))
    gradient, size = linear_rows(h00, 4, b, gradient, size)
    for k in range(len(da)):
        flow, _ = linear_rows(hkk, 0, get(given, k), zero, 0.0)
        for m in range(len(da)):
            if crossed and m != k:
                cross, _ = linear_rows(hkl[k + m - 1], 0, get(given, m), zero, 0.0)
                flow = add(flow, scale(1.0 if k < m else -1.0, cross))
        put(flux, k, flow)
    return gradient, size


@formula
def linear_rows(block: Any, first: int, x: Spin, gradient: Spin, size: float) -> tuple[Spin, float]:
    """Add columns first..first + 3 of a Hessian block times x to a gradient, meant as tr(da G), and its size."""
    total = (0j, 0j, 0j, 0j)
    for c in range(4):
        column = block[0, first + c], block[1, first + c], block[2, first + c], block[3, first + c]
        total = add(total, scale(x[c], column))
    return add(gradient, transpose(total)), size + modulus(total)


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
def add_hessian(
    weight: float, phi: Any, dphi: Any, h00: Any, h0k: Any, hk0: Any, hkk: Any, hkl: Any, crossed: bool, work: Any,
    out: Any,
) -> None:  # fmt: skip
    """Contract the point Hessian, seen as 64 real numbers per block, with the basis functions of all pairs i <= j.

    `crossed`: whether there are blocks hkl of derivatives along different axes.
    """
    dim = dphi.shape[1]
    pair = 0
    for j in range(len(phi)):
        pj = weight * phi[j]
        for m in range(BLOCK):
            work[0, m] = pj * h00[m]
        for k in range(dim):
            gj = weight * dphi[j, k]
            for m in range(BLOCK):
                work[0, m] += gj * h0k[k, m]
                work[1 + k, m] = pj * hk0[k, m] + gj * hkk[m]
        if crossed:
            add_crossed(weight, dphi[j], hkl, work)
        for i in range(j + 1):
            pi = phi[i]
            for m in range(BLOCK):
                out[pair, m] += pi * work[0, m]
            for k in range(dim):
                gi = dphi[i, k]
                for m in range(BLOCK):
                    out[pair, m] += gi * work[1 + k, m]
            pair += 1


@formula
def add_crossed(weight: float, gradient: Any, hkl: Any, work: Any) -> None:
    """Add the antisymmetric blocks of d_k a with derivatives along other axes to rows 1 + k of work."""
    for k in range(len(gradient)):
        for other in range(k):
            pair = k + other - 1
            gk, go = weight * gradient[k], weight * gradient[other]
            for m in range(BLOCK):
                work[1 + other, m] += gk * hkl[pair, m]
                work[1 + k, m] -= go * hkl[pair, m]


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


@inlined
def finish_hessian(
    kind: int, coefficients: Any, h00: Any, h0k: Any, hk0: Any, hkk: Any, hkl: Any, maps: Any
) -> None:  # fmt: skip
    """Fold the columns of b, write the transposed blocks h0k, and let gauge fields enter."""
    crossed = kind & SPIN_CHARGE > 0
    fold(h00)
    fold(hkk)
    if crossed:
        for p in range(len(hkl)):
            fold(hkl[p])
    for k in range(len(hk0)):
        fold(hk0[k])
        adjoint(hk0[k], h0k[k])
    if kind & GAUGE:
        gauge_hessian(coefficients, COEFFICIENTS, h00, h0k, hk0, hkk, hkl, crossed, maps)
        for k in range(len(hk0)):
            adjoint(hk0[k], h0k[k])


@kernel
def element_terms(
    w: Any, state: Any, first: int, cells: Any, phi: Any, dphi: Any, inverse: Any, dx: Any, table: Any, kinds: Any,
    pairs: Any, hessian: bool, residual: Any, scale: Any, tangent: Any,
) -> None:  # fmt: skip
    """Residual (cells, local, 4), its scale and tangent (cells, pairs, 8, 8) of the cells first, first + 1, ..."""
    points, nodes, dim = dphi.shape
    crossings, count = dim * (dim - 1) // 2, nodes * (nodes + 1) // 2
    grad, work = np.empty((nodes, dim)), np.empty((1 + dim, BLOCK))
    da, db = np.empty((dim, 4), np.complex128), np.empty((dim, 4), np.complex128)
    flux = np.empty((dim, 4), np.complex128)
    h00, hkk = np.empty((4, 8), np.complex128), np.zeros((4, 8), np.complex128)
    h0k, hk0 = np.empty((dim, 4, 8), np.complex128), np.empty((dim, 4, 8), np.complex128)
    hkl, blocks = np.zeros((crossings, 4, 8), np.complex128), np.empty((count, 4, 8), np.complex128)
    rows, maps = np.empty((ROWS, dim, 4), np.complex128), np.empty((dim, 4, 4), np.complex128)
    flat00, flatkk = h00.reshape(32).view(np.float64), hkk.reshape(32).view(np.float64)
    flat0k, flatk0 = h0k.reshape(dim, 32).view(np.float64), hk0.reshape(dim, 32).view(np.float64)
    flatkl, flat = hkl.reshape(crossings, 32).view(np.float64), blocks.reshape(count, 32).view(np.float64)
    for local in range(residual.shape[0]):
        e = first + local
        kind = kinds[e]
        residual[local] = 0.0
        scale[local] = 0.0
        blocks[:] = 0.0
        for q in range(points):
            gradients(dphi[q], inverse[e, q if inverse.shape[1] > 1 else 0], grad)
            a = interpolate(state, cells[e], phi[q])
            c = table[e, q]
            derivatives(state, cells[e], grad, kind, c, a, da, db)
            g, size = point_terms(
                w, c, kind, pairs, a, da, db, hessian, flux, h00, hk0, hkk[:, 4:], hkl[:, :, 4:], rows
            )  # fmt: skip
            if kind & GAUGE:
                g = gauge_gradient(c, COEFFICIENTS, g, flux)
            weight = dx[e, q] * c[N0]
            add_gradient(weight, phi[q], grad, g, size, flux, residual[local], scale[local])
            if hessian:
                finish_hessian(kind, c, h00, h0k, hk0, hkk, hkl, maps)
                crossed = kind & SPIN_CHARGE > 0
                add_hessian(weight, phi[q], grad, flat00, flat0k, flatk0, flatkk, flatkl, crossed, work, flat)
        if hessian:
            for p in range(len(blocks)):
                to_real(blocks[p], tangent[local, p])
