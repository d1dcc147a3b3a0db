"""Gauge fields: covariant derivatives of the Riccati matrices, and the chain rule for what depends on them.

    D_k a = d_k a + L_k a,  L_k a = -2i A_k a - i [SU_k, a],      D_k b = sigma_y (D_k a)* sigma_y on the Matsubara
    manifold,

with the vector potential A_k (times the charge) and the SU(2) field SU_k = SU_k^a sigma_a / 2. Terms of the functional
see D_k a only. In variables a and d_k a the derivatives with respect to D_k a then come back through the linear map
L_k.
"""

from __future__ import annotations

from typing import Any

from ..compilation.jit import formula
from .columns import GAUGE_COLUMNS
from .nambu import Spin, add, basis_matrix, mul, pauli, scale, sub
from .variations import accumulate, get


@formula
def su2_matrix(like: Spin, coefficients: Any, first: int, k: int) -> Spin:
    """SU_k^a sigma_a / 2; the gauge fields of a point begin at column `first` of its coefficients."""
    c = first + GAUGE_COLUMNS * k
    x, y, z = 0.5 * coefficients[c + 1], 0.5 * coefficients[c + 2], 0.5 * coefficients[c + 3]
    return pauli(like, 0j, x, y, z)


@formula
def connection(coefficients: Any, first: int, k: int, x: Spin) -> Spin:
    """L_k x = -2i A_k x - i [SU_k, x]."""
    s = su2_matrix(x, coefficients, first, k)
    phase = scale(-2j * coefficients[first + GAUGE_COLUMNS * k], x)
    return add(phase, scale(-1j, sub(mul(s, x), mul(x, s))))


@formula
def dual_connection(coefficients: Any, first: int, k: int, x: Spin) -> Spin:
    """The map L' with tr (L_k y) x = tr y (L' x)."""
    s = su2_matrix(x, coefficients, first, k)
    phase = scale(-2j * coefficients[first + GAUGE_COLUMNS * k], x)
    return add(phase, scale(1j, sub(mul(s, x), mul(x, s))))


@formula
def add_connection(coefficients: Any, first: int, a: Spin, da: Any) -> None:
    """Turn d_k a into D_k a, in place."""
    for k in range(len(da)):
        accumulate(da, k, 1.0, connection(coefficients, first, k, a))


@formula
def gauge_gradient(coefficients: Any, first: int, gradient: Spin, flux: Any) -> Spin:
    """The derivative with respect to a at fixed d_k a, from those with respect to a and D_k a."""
    for k in range(len(flux)):
        gradient = add(gradient, dual_connection(coefficients, first, k, get(gradient, flux, k)))
    return gradient


@formula
def connection_maps(coefficients: Any, first: int, like: Spin, maps: Any, offset: int) -> None:
    """Write the matrices of L_k over the stored entries to maps[k], rows and columns from `offset`."""
    for k in range(len(maps)):
        for c in range(len(like)):
            column = connection(coefficients, first, k, basis_matrix(like, c))
            for r in range(len(like)):
                maps[k, offset + r, offset + c] = column[r]


@formula
def gauge_hessian(h00: Any, h0k: Any, hk0: Any, hkk: Any, hkl: Any, crossed: bool, maps: Any) -> None:
    """Second derivatives in a and d_k a from those in a and D_k a; columns are those of two partners (a and its
    conjugate, or a and b), rows those of the first or of both.

    h00, h0k[k], hk0[k] are changed, hkk and hkl[p] (used if `crossed`) stay; `maps` (dim, 2n, 2n) holds L_k of both
    partners on its diagonal. h0k must hold the blocks of a with D_k a on entry, and has to be renewed from hk0 by the
    caller.
    """
    dim = len(hk0)
    for k in range(dim):
        for m in range(dim):
            if m == k:
                right_product(1.0, hkk, maps[m], hk0[k])
            elif crossed:
                right_product(1.0 if k < m else -1.0, hkl[k + m - 1], maps[m], hk0[k])
    for k in range(dim):
        right_product(1.0, h0k[k], maps[k], h00)
        left_product(maps[k], hk0[k], h00)


@formula
def right_product(sign: float, block: Any, m: Any, out: Any) -> None:
    """Add sign block m to out, m having two blocks on its diagonal."""
    half = len(m) // 2
    for r in range(len(block)):
        for first in (0, half):
            for c in range(first, first + half):
                for s in range(first, first + half):
                    out[r, c] += sign * block[r, s] * m[s, c]


@formula
def left_product(m: Any, block: Any, out: Any) -> None:
    """Add m^T block to out, where block has rows of the first partner or of both."""
    half = len(m) // 2
    for r in range(len(block)):
        first = half if r >= half else 0
        for s in range(first, first + half):
            for c in range(len(m)):
                out[r, c] += m[s, r] * block[s, c]
