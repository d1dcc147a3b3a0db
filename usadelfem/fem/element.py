"""Element kernels: interpolation, point gradient and Hessian, contraction with the basis functions of a cell.

On the Matsubara manifold b = sigma_y a* sigma_y a node has 8 real unknowns: real and imaginary part of a00, a01, a10,
a11, interleaved, so that the state is a complex array (nodes, 4). The functional F is real there; with z the variation
of the entries of a, dF = 2 Re z G and d2F = 2 Re [z K z' + z K~ z'*] with complex 4x4 matrices K, K~ per node pair.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..physics.functional import N0, evaluate, modulus
from ..physics.jit import formula, kernel
from ..physics.nambu import tilde

UNKNOWNS = 8
BLOCK = UNKNOWNS * UNKNOWNS


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


@formula
def derivatives(state: Any, nodes: Any, dphi: Any, da: Any, db: Any) -> None:
    """Write d_k a and d_k b at a point to rows k of da, db."""
    for k in range(da.shape[0]):
        d = interpolate(state, nodes, dphi[:, k])
        da[k, 0], da[k, 1], da[k, 2], da[k, 3] = d
        db[k, 0], db[k, 1], db[k, 2], db[k, 3] = tilde(d)


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
    weight: float, phi: Any, dphi: Any, h00: Any, h0k: Any, hk0: Any, hkk: Any, work: Any, out: Any
) -> None:
    """Contract the point Hessian, seen as 64 real numbers per block, with the basis functions of all pairs i <= j."""
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
    flat, work = pairs.reshape(len(pairs), 32).view(np.float64), np.empty((1 + dim, BLOCK))
    for local in range(residual.shape[0]):
        e = first + local
        residual[local] = 0.0
        scale[local] = 0.0
        pairs[:] = 0.0
        for q in range(points):
            gradients(dphi[q], inverse[e, q if inverse.shape[1] > 1 else 0], grad)
            a = interpolate(state, cells[e], phi[q])
            derivatives(state, cells[e], grad, da, db)
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
