"""Traces of the kinetic equation: sums of Tr N_i P N_j Q over products P, Q of 4x4 matrices, for all modes at once.

The modes N_j are spin matrices, then those times tau3 (`kinetic`). What a trace needs of P and Q are products of their
entries; these are added up first, and turned into modes once for each tensor. Traces Tr N_i P N_j need the diagonal
Nambu blocks of P only, which are added up apart from them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..compilation.jit import formula
from .interface import Matrix
from .nambu import Spin, add, dagger, mul, scale, sigma_left, spin_trace, sub, trace
from .variations import accumulate, get

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]
Diagonal = tuple[Spin, Spin]  # the diagonal Nambu blocks of a matrix


class KineticSpace(NamedTuple):
    """The tensors at a point (see above) with m = 2n modes, and what they are collected in.

    Attributes
    ----------
    flux, drift, torque, local
        Shapes (dim, dim, m, m), (dim, m, m), (dim, m, m) and (m, m).
    of_flux, of_drift, of_torque, of_local
        Sums of P x Q by Nambu blocks (..., 4, products of entries); those of the flux above the diagonal only.
    left_flux, left_drift, left_torque, left_local
        Sums of the diagonal Nambu blocks of P in Tr N_i P N_j, (..., 2, n).
    changes
        D_k R, and R D_k R, by Nambu blocks, (2, dim, 4, n).
    work
        Products of entries in the middle of `add_modes` (4, n).
    maps, products
        Maps m -> X m X^+ of spin components, (4, n, n), and products of two of them.
    turn
        What D_k adds to the gradients, (dim, m, m).
    """

    flux: Real
    drift: Real
    torque: Real
    local: Real
    of_flux: Complex
    of_drift: Complex
    of_torque: Complex
    of_local: Complex
    left_flux: Complex
    left_drift: Complex
    left_torque: Complex
    left_local: Complex
    changes: Complex
    work: Complex
    maps: Real
    products: Real
    turn: Real


def kinetic_space(n: int, dim: int) -> KineticSpace:
    """Space for matrices of n entries."""
    m, size = 2 * n, {1: 1, 2: 2, 4: 16}[n]

    def real(*shape: int) -> Real:
        return np.zeros(shape)

    def sums(*shape: int) -> Complex:
        return np.zeros((*shape, 4, size), complex)

    def lefts(*shape: int) -> Complex:
        return np.zeros((*shape, n), complex)

    return KineticSpace(
        real(dim, dim, m, m), real(dim, m, m), real(dim, m, m), real(m, m), sums(dim, dim), sums(dim), sums(dim),
        sums(), lefts(dim, dim, 2), lefts(dim, 2), lefts(dim, 2), lefts(2), lefts(2, dim, 4), lefts(4),
        real(4, n, n), real(2, n, n), real(dim, m, m),
    )  # fmt: skip


@formula
def advanced(r: Matrix) -> Matrix:
    """A = -tau3 R^+ tau3; the same of derivatives, and of self-energies."""
    return scale(-1.0, dagger(r[0])), dagger(r[2]), dagger(r[1]), scale(-1.0, dagger(r[3]))


@formula
def scale4(c: Any, x: Matrix) -> Matrix:
    """The multiple c x."""
    return scale(c, x[0]), scale(c, x[1]), scale(c, x[2]), scale(c, x[3])


@formula
def left4(s: Spin, x: Matrix) -> Matrix:
    """s X with a spin matrix s."""
    return mul(s, x[0]), mul(s, x[1]), mul(s, x[2]), mul(s, x[3])


@formula
def right4(x: Matrix, s: Spin) -> Matrix:
    """X s with a spin matrix s."""
    return mul(x[0], s), mul(x[1], s), mul(x[2], s), mul(x[3], s)


@formula
def add_product(c: Any, x: Spin, y: Spin, sums: Any) -> None:
    """Add c times the products of entries of x and y that tr sigma_mu x sigma_nu y needs."""
    if len(x) == 4:
        s = scale(c, x)
        for k in range(4):
            sums[k] += s[0] * y[k]
            sums[4 + k] += s[1] * y[k]
            sums[8 + k] += s[2] * y[k]
            sums[12 + k] += s[3] * y[k]
    elif len(x) == 2:
        sums[0] += c * x[0] * y[0]
        sums[1] += c * x[1] * y[1]
    else:
        sums[0] += c * x[0] * y[0]


@formula
def sandwich(c: Any, p: Matrix, q: Matrix, sums: Any) -> None:
    """Add c Tr N_i P N_j Q for all i and j; `sums` (4, products) by Nambu indices of N_i and N_j."""
    add_product(c, p[0], q[0], sums[0])
    add_product(c, p[1], q[2], sums[1])
    add_product(c, p[2], q[1], sums[2])
    add_product(c, p[3], q[3], sums[3])


@formula
def sandwich_spin(c: Any, p: Diagonal, s: Spin, sums: Any) -> None:
    """Add c Tr N_i P N_j s with a spin matrix s."""
    add_product(c, p[0], s, sums[0])
    add_product(c, p[1], s, sums[3])


@formula
def sandwich_left(c: Any, p: Diagonal, left: Any) -> None:
    """Add c Tr N_i P N_j; `left` (2, n)."""
    accumulate(left, 0, c, p[0])
    accumulate(left, 1, c, p[1])


@formula
def diagonal(x: Matrix, y: Matrix) -> Diagonal:
    """The diagonal Nambu blocks of the product x y."""
    return add(mul(x[0], y[0]), mul(x[1], y[2])), add(mul(x[2], y[1]), mul(x[3], y[3]))


@formula
def spin_part(mu: int, x00: Any, x01: Any, x10: Any, x11: Any) -> Any:
    """The sum of sigma_mu[b, c] x_bc."""
    if mu == 0:
        return x00 + x11
    if mu == 1:
        return x01 + x10
    if mu == 2:
        return 1j * (x10 - x01)
    return x00 - x11


@formula
def traces(like: Spin, sums: Any, work: Any, mu: int, nu: int) -> Any:
    """tr sigma_mu x sigma_nu y from the products of entries; of four entries after `prepare`."""
    if len(like) == 4:
        return spin_part(mu, work[0, nu], work[2, nu], work[1, nu], work[3, nu])
    if len(like) == 2:
        return sums[0] + sums[1] if mu == nu else sums[0] - sums[1]
    return 2.0 * sums[0]


@formula
def prepare(like: Spin, sums: Any, work: Any) -> None:
    """The sums over the inner pair of entries, sum over b, c of sigma_nu[b, c] x_ab y_cd, to work[2a + d, nu]."""
    if len(like) == 4:
        for a in range(2):
            for d in range(2):
                first = 8 * a + d
                for nu in range(4):
                    work[2 * a + d, nu] = spin_part(nu, sums[first], sums[first + 2], sums[first + 4], sums[first + 6])


@formula
def add_value(n: int, block: int, mu: int, nu: int, value: Any, out: Any) -> None:
    """Add the trace with sigma_mu and sigma_nu in one Nambu block of each to that of the modes, out (m, m)."""
    row, column = 1.0 - 2.0 * (block >= 2), 1.0 - 2.0 * (block % 2)
    out[mu, nu] += value
    out[mu, n + nu] += column * value
    out[n + mu, nu] += row * value
    out[n + mu, n + nu] += row * column * value


@formula
def add_modes(like: Spin, sums: Any, work: Any, out: Any) -> None:
    """Add the real part of what `sandwich` has collected to out (m, m)."""
    n = len(like)
    for block in range(4):
        prepare(like, sums[block], work)
        for nu in range(n):
            for mu in range(n):
                add_value(n, block, mu, nu, traces(like, sums[block], work, mu, nu).real, out)


@formula
def add_left(like: Spin, left: Any, out: Any) -> None:
    """Add the real part of what `sandwich_left` has collected to out (m, m): of p + v.sigma, Re tr sigma_mu p sigma_nu
    is 2 Re p on the diagonal, 2 Re v beside it, and antisymmetric 2 Im v among spins.
    """
    n = len(like)
    for unlike in range(2):  # modes of which one has tau3
        p = add(get(like, left, 0), scale(1.0 - 2.0 * unlike, get(like, left, 1)))
        unit, x, y, z = trace(p).real, spin_trace(0, p), spin_trace(1, p), spin_trace(2, p)
        for first in (0, n):
            second = n - first if unlike else first
            for mu in range(n):
                out[first + mu, second + mu] += unit
            if n > 1:
                out[first, second + n - 1] += z.real
                out[first + n - 1, second] += z.real
            if n == 4:
                out[first, second + 1] += x.real
                out[first + 1, second] += x.real
                out[first, second + 2] += y.real
                out[first + 2, second] += y.real
                out[first + 1, second + 2] += z.imag
                out[first + 2, second + 1] -= z.imag
                out[first + 2, second + 3] += x.imag
                out[first + 3, second + 2] -= x.imag
                out[first + 3, second + 1] += y.imag
                out[first + 1, second + 3] -= y.imag


@formula
def mode_times(nu: int, x: Spin) -> Spin:
    """The spin matrix of mode nu, the unit matrix and then those of the axes that the sector has, times x."""
    if nu == 0:
        return x
    return sigma_left(nu - 1 if len(x) == 4 else 2, x)


@formula
def mode_trace(mu: int, x: Spin) -> Any:
    """The trace of x and the spin matrix of mode mu."""
    if mu == 0:
        return trace(x)
    return spin_trace(mu - 1 if len(x) == 4 else 2, x)


@formula
def conjugation(x: Spin, out: Any) -> None:
    """The map m -> x m x^+ of components of spin matrices, out (n, n)."""
    for nu in range(len(x)):
        y = mul(x, mode_times(nu, dagger(x)))
        for mu in range(len(x)):
            out[mu, nu] = 0.5 * mode_trace(mu, y).real


@formula
def derivative4(vectors: Any, da: Spin, db: Spin) -> Matrix:
    """D_k R from D_k a and D_k b."""
    n, nt, alpha, beta = vectors
    x, y, z, t = mul(da, beta), mul(da, nt), mul(db, n), mul(db, alpha)
    return (
        scale(-2.0, add(mul(n, x), mul(alpha, z))), scale(2.0, sub(mul(n, y), mul(alpha, t))),
        scale(2.0, sub(mul(nt, z), mul(beta, x))), scale(2.0, add(mul(beta, y), mul(nt, t))),
    )  # fmt: skip
