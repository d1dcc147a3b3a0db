r"""Interface terms of the functional at a point: density, exact gradient and exact Hessian.

Two sides 1 and 2 meet with the Green's functions g1, g2. Per area, measured from the normal state,

    small transparencies   f = -(G_T/4) Tr [g1 g2 + c1 M {g1, g2} + c2 M g1 M g2]
    channels (Nazarov)     f = -(G_T/4) sum_n s_n (2/tau_n) Tr ln [1 + (tau_n/4) ({g1, g2} - 2)]
    spin mixing, of both   f = (i G_phi/4) Tr M (g1 + g2)

with M = m.sigma tau3, c1 = P/(1+r), c2 = (1-r)/(1+r), r = sqrt(1 - P^2), and s_n the share of channel n.

First variations are -Tr L1 dg1 - Tr L2 dg2 with L1 = (G_T/4) sum_n s_n K_n g2, K_n = [1 + (tau_n/4)({g1, g2} - 2)]^-1,
which commutes with g1 and g2. Second variations are sums of Tr dg X dg' Y; with d_a g = 2 C da R and d_b g = 2 C' db R'
(`functional`) each is an outer product. As there, only the rows that belong to a are written.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import as_array, shown
from ..compilation.jit import formula
from .functional import first_variation, green_blocks, symmetrize
from .nambu import Spin, add, determinant, inverse_of_one_plus, mul, pauli, scale, sub, trace_product
from .variations import outer

Matrix = tuple[Spin, Spin, Spin, Spin]  # Nambu blocks 11, 12, 21, 22

# Columns of the table of an interface: G_T, c1, c2, G_phi, direction of M.
CONDUCTANCE, MIX_ONE, MIX_TWO, MIXING, MX, MY, MZ = range(7)
JUNCTION_COLUMNS = 7
CHANNELS = 32  # quadrature points of a continuous distribution of transparencies


@formula
def mul4(x: Matrix, y: Matrix) -> Matrix:
    """The product of two 4x4 matrices."""
    return (
        add(mul(x[0], y[0]), mul(x[1], y[2])),
        add(mul(x[0], y[1]), mul(x[1], y[3])),
        add(mul(x[2], y[0]), mul(x[3], y[2])),
        add(mul(x[2], y[1]), mul(x[3], y[3])),
    )


@formula
def add4(x: Matrix, c: Any, y: Matrix) -> Matrix:
    """The sum x + c y."""
    return add(x[0], scale(c, y[0])), add(x[1], scale(c, y[1])), add(x[2], scale(c, y[2])), add(x[3], scale(c, y[3]))


@formula
def trace4(x: Matrix, y: Matrix) -> complex:
    """The trace of x y."""
    return trace_product(x[0], y[0]) + trace_product(x[1], y[2]) + trace_product(x[2], y[1]) + trace_product(x[3], y[3])


@formula
def unit4(like: Spin) -> Matrix:
    """The unit matrix."""
    one, zero = pauli(like, 1.0, 0.0, 0.0, 0.0), scale(0.0, like)
    return one, zero, zero, one


@formula
def inverse2(x: Spin) -> Spin:
    """The inverse of a 2x2 matrix."""
    return inverse_of_one_plus(sub(x, pauli(x, 1.0, 0.0, 0.0, 0.0)))


@formula
def inverse4(x: Matrix) -> tuple[Matrix, complex]:
    """The inverse of a 4x4 matrix by its Schur complement, and the determinant."""
    first = inverse2(x[0])
    right = mul(first, x[1])
    left = mul(x[2], first)
    schur = sub(x[3], mul(x[2], right))
    second = inverse2(schur)
    inverse = (
        add(first, mul(right, mul(second, left))),
        scale(-1.0, mul(right, second)),
        scale(-1.0, mul(second, left)),
        second,
    )
    return inverse, determinant(x[0]) * determinant(schur)


@formula
def magnetic(c: Any, like: Spin) -> Matrix:
    """M = m.sigma tau3."""
    m, zero = pauli(like, 0j, c[MX], c[MY], c[MZ]), scale(0.0, like)
    return m, zero, zero, scale(-1.0, m)


@formula
def green4(vectors: Any) -> Matrix:
    """The matrix g."""
    g: Matrix = green_blocks(vectors[0], vectors[1], vectors[2], vectors[3])
    return g


@formula
def filtered(c: Any, m: Matrix, g: Matrix) -> Matrix:
    """g + c1 {M, g} + c2 M g M: what a side sees of the other one through a spin filter."""
    if c[MIX_ONE] == 0.0 and c[MIX_TWO] == 0.0:
        return g
    mg, gm = mul4(m, g), mul4(g, m)
    return add4(add4(add4(g, c[MIX_ONE], mg), c[MIX_ONE], gm), c[MIX_TWO], mul4(mg, m))


@formula
def couple(c: Any, x: Matrix, y: Matrix, one: Any, two: Any, block: Any) -> None:
    """Add the second variation c Tr dg X dg' Y, dg on the side with vectors `one` and dg' on that of `two`."""
    n1, nt1, _, beta1 = one
    n2, nt2, alpha2, beta2 = two
    left = sub(mul(nt1, x[2]), mul(beta1, x[0]))  # R X
    right = sub(mul(nt1, x[3]), mul(beta1, x[1]))
    upper = add(mul(y[0], n1), mul(y[1], beta1))  # Y C
    lower = add(mul(y[2], n1), mul(y[3], beta1))
    to_a, to_b = add(mul(left, n2), mul(right, beta2)), sub(mul(right, nt2), mul(left, alpha2))
    from_a, from_b = sub(mul(nt2, lower), mul(beta2, upper)), add(mul(n2, upper), mul(alpha2, lower))
    outer(block, 0, 4.0 * c, to_a, from_a)
    outer(block, len(n1), 4.0 * c, to_b, from_b)


@formula
def deviation(tau: float, g1: Matrix, g2: Matrix) -> Matrix:
    """1 + (tau/4) ({g1, g2} - 2)."""
    one = unit4(g1[0])
    both = add4(mul4(g1, g2), 1.0, mul4(g2, g1))
    return add4(add4(one, -0.5 * tau, one), 0.25 * tau, both)


@formula
def junction_density(c: Any, channels: Any, one: Any, two: Any) -> complex:
    """The density f; arguments as in `junction_terms`."""
    g1, g2, m = green4(one), green4(two), magnetic(c, one[0])
    f: complex = 0.25j * c[MIXING] * (trace4(m, g1) + trace4(m, g2))
    if len(channels) == 0:
        f -= 0.25 * c[CONDUCTANCE] * (trace4(g1, filtered(c, m, g2)) - 4.0 * (1.0 + c[MIX_TWO]))
    for n in range(len(channels)):
        _, size = inverse4(deviation(channels[n, 0], g1, g2))
        f -= 0.25 * c[CONDUCTANCE] * channels[n, 1] * (2.0 / channels[n, 0]) * complex(np.log(abs(size)), 0.0)
    return f


@formula
def tunnel_terms(c: Any, one: Any, two: Any, hessian: bool, h12: Any) -> tuple[Matrix, Matrix]:
    """L1 and L2 of a tunnel or spin-active barrier, and the second variation that couples the sides."""
    g1, g2, m, unit = green4(one), green4(two), magnetic(c, one[0]), unit4(one[0])
    quarter = 0.25 * c[CONDUCTANCE]
    zero = add4(unit, -1.0, unit)
    if hessian and quarter > 0.0:
        couple(-quarter, unit, unit, one, two, h12)
        if c[MIX_ONE] != 0.0 or c[MIX_TWO] != 0.0:
            couple(-quarter * c[MIX_ONE], unit, m, one, two, h12)
            couple(-quarter * c[MIX_ONE], m, unit, one, two, h12)
            couple(-quarter * c[MIX_TWO], m, m, one, two, h12)
    return add4(zero, quarter, filtered(c, m, g2)), add4(zero, quarter, filtered(c, m, g1))


@formula
def channel_terms(
    c: Any, channels: Any, one: Any, two: Any, hessian: bool, h11: Any, h12: Any, h22: Any
) -> tuple[Matrix, Matrix]:
    """L1 and L2 of a contact with channels, and the second variations that are not of the form -Tr L d2g."""
    g1, g2, unit = green4(one), green4(two), unit4(one[0])
    l1 = add4(unit, -1.0, unit)
    l2 = l1
    for n in range(len(channels)):
        tau, quarter = channels[n, 0], 0.25 * c[CONDUCTANCE] * channels[n, 1]
        k, _ = inverse4(deviation(tau, g1, g2))
        k1, k2 = mul4(k, g1), mul4(k, g2)
        l1, l2 = add4(l1, quarter, k2), add4(l2, quarter, k1)
        if hessian:
            couple(-quarter, k, add4(unit, -0.25 * tau, mul4(g1, k2)), one, two, h12)
            couple(0.25 * tau * quarter, k1, k2, one, two, h12)
            couple(0.25 * tau * quarter, k, k, one, one, h11)
            couple(0.25 * tau * quarter, k2, k2, one, one, h11)
            couple(0.25 * tau * quarter, k, k, two, two, h22)
            couple(0.25 * tau * quarter, k1, k1, two, two, h22)
    return l1, l2


@formula
def one_side(c: Any, el: Matrix, vectors: Any, hessian: bool, block: Any) -> tuple[Spin, float]:
    """Gradient with respect to a of -Tr L g + (i G_phi/4) Tr M g, its size; the Hessian is added to the block."""
    el = add4(el, -0.25j * c[MIXING], magnetic(c, vectors[0]))
    n, nt, _, beta = vectors
    gradient, size, prime, cross = first_variation(el[0], el[1], el[2], el[3], vectors, hessian)
    if hessian:
        outer(block, 0, -2.0, beta, gradient)
        outer(block, len(n), 1.0, prime, n)
        outer(block, len(n), 1.0, nt, cross)
        symmetrize(block)
    return gradient, size


@formula
def junction_terms(
    c: Any, channels: Any, one: Any, two: Any, hessian: bool, h11: Any, h12: Any, h22: Any
) -> tuple[Spin, float, Spin, float]:
    """Gradients with respect to a1 and a2, each with the size of its terms, and the Hessian rows of a1 and a2.

    `c` (JUNCTION_COLUMNS,) are the coefficients, `channels` (n, 2) the transparencies and shares of the channels, none
    for a tunnel barrier; `one` and `two` the vectors (N, Nt, alpha, beta) of the sides. Written, if `hessian`, are the
    blocks (n, 2n): `h11` a1 with (a1, b1), `h12` a1 with (a2, b2), `h22` a2 with (a2, b2).
    """
    h11[:] = 0.0
    h12[:] = 0.0
    h22[:] = 0.0
    if len(channels) == 0:
        l1, l2 = tunnel_terms(c, one, two, hessian, h12)
    else:
        l1, l2 = channel_terms(c, channels, one, two, hessian, h11, h12, h22)
    g1, size1 = one_side(c, l1, one, hessian, h11)
    g2, size2 = one_side(c, l2, two, hessian, h22)
    return g1, size1, g2, size2


def filter_amplitudes(polarization: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """c1 = P/(1+r) and c2 = (1-r)/(1+r) with r = sqrt(1 - P^2)."""
    r = np.sqrt(1.0 - polarization**2)
    return polarization / (1.0 + r), (1.0 - r) / (1.0 + r)


_SHARES: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    # tau rho(tau) d tau / d theta with tau = sin^2 theta
    "diffusive": lambda theta: np.sin(theta),
    "dirty_interface": lambda theta: np.ones_like(theta),
    "chaotic_cavity": lambda theta: np.sin(theta) ** 2,
}


def transmission_channels(transparencies: Sequence[float] | Callable[..., Any] | str) -> NDArray[np.float64]:
    """Transparencies tau_n and shares s_n of the conductance, sum 1; shape (channels, 2).

    Parameters
    ----------
    transparencies
        Transparencies of equally frequent channels, a density rho(tau), or its name. Continuous distributions are
        integrated with Gaussian quadrature in theta, tau = sin^2 theta.

    Raises
    ------
    ValueError
        If the density is not finite and non-negative, or vanishes.
    """
    if isinstance(transparencies, Sequence) and not isinstance(transparencies, str):
        tau = np.asarray(transparencies, float)
        return np.stack([tau, tau / tau.sum()], axis=-1)
    x, weight = np.polynomial.legendre.leggauss(CHANNELS)
    theta = np.pi / 4 * (x + 1)
    tau = np.sin(theta) ** 2
    if callable(transparencies):
        density = as_array(transparencies(tau.copy()))
        good = density is not None and density.shape == tau.shape and density.dtype.kind in "iuf"
        if density is None or not good or not np.isfinite(density).all() or (density < 0).any() or not density.any():
            raise ValueError(
                "the density transparencies(tau) has to give finite real numbers >= 0, not all 0, in the shape of tau; "
                f"for tau of shape {tau.shape} it gave {shown(density)}"
            )
        weight = weight * tau * density * np.sin(2 * theta)
    else:
        weight = weight * _SHARES[transparencies](theta)
    return np.stack([tau, weight / weight.sum()], axis=-1)
