"""Gauge fields: covariant derivatives of the Riccati matrices, and the chain rule for what depends on them.

    D_k a = d_k a + L_k a,  L_k a = -2i A_k a - i [SU_k, a],      D_k b = sigma_y (D_k a)* sigma_y on the Matsubara
    manifold,

with the vector potential A_k (times the charge) and the SU(2) field SU_k = SU_k^a sigma_a / 2. Terms of the functional
see D_k a only. In variables a and d_k a the derivatives with respect to D_k a then come back through the linear map
L_k.
"""

from __future__ import annotations

from typing import Any

from .frame import accumulate, get
from .jit import formula
from .nambu import Spin, add, mul, scale, sub

GAUGE_COLUMNS = 4  # per mesh axis: A_k, SU_k^x, SU_k^y, SU_k^z


@formula
def su2_matrix(coefficients: Any, first: int, k: int) -> Spin:
    """SU_k^a sigma_a / 2; the gauge fields of a point begin at column `first` of its coefficients."""
    c = first + GAUGE_COLUMNS * k
    x, y, z = 0.5 * coefficients[c + 1], 0.5 * coefficients[c + 2], 0.5 * coefficients[c + 3]
    return complex(z, 0.0), complex(x, -y), complex(x, y), complex(-z, 0.0)


@formula
def connection(coefficients: Any, first: int, k: int, x: Spin) -> Spin:
    """L_k x = -2i A_k x - i [SU_k, x]."""
    s = su2_matrix(coefficients, first, k)
    phase = scale(-2j * coefficients[first + GAUGE_COLUMNS * k], x)
    return add(phase, scale(-1j, sub(mul(s, x), mul(x, s))))


@formula
def dual_connection(coefficients: Any, first: int, k: int, x: Spin) -> Spin:
    """The map L' with tr (L_k y) x = tr y (L' x)."""
    s = su2_matrix(coefficients, first, k)
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
        gradient = add(gradient, dual_connection(coefficients, first, k, get(flux, k)))
    return gradient


@formula
def gauge_hessian(
    coefficients: Any, first: int, h00: Any, h0k: Any, hk0: Any, hkk: Any, hkl: Any, crossed: bool, maps: Any
) -> None:
    """Second derivatives in a and d_k a from those in a and D_k a, folded to columns of (da, da*).

    h00, h0k[k], hk0[k] (4, 8) are changed, hkk and hkl[p] (used if `crossed`) stay; `maps` (dim, 4, 4) is scratch
    space. h0k must hold the blocks of a with D_k a on entry, and has to be renewed from hk0 by the caller.
    """
    dim = len(hk0)
    for k in range(dim):
        for c in range(4):
            unit = (1.0 * (c == 0) + 0j, 1.0 * (c == 1) + 0j, 1.0 * (c == 2) + 0j, 1.0 * (c == 3) + 0j)
            column = connection(coefficients, first, k, unit)
            for r in range(4):
                maps[k, r, c] = column[r]
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
    """Add sign K m and sign K~ m* for a block (K, K~) to out."""
    for r in range(4):
        for c in range(4):
            for s in range(4):
                out[r, c] += sign * block[r, s] * m[s, c]
                out[r, 4 + c] += sign * block[r, 4 + s] * m[s, c].conjugate()


@formula
def left_product(m: Any, block: Any, out: Any) -> None:
    """Add m^T block to out."""
    for r in range(4):
        for s in range(4):
            for c in range(8):
                out[r, c] += m[s, r] * block[s, c]
