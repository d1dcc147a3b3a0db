r"""The conjugates of the coefficients: df/dc of every column at a point, and their change with the state.

Every observable is one of them (theory, section on observables): df/dA_k and df/dSU_k are the currents, df/dh the spin
density, df/dgap the pair amplitude, df/dw the density of states, and f itself, the conjugate of N0, the free energy. f
is linear in every column but the gauge fields, whose conjugates are meant at the fields that are there.

All are measured from the normal metal, so that nothing large cancels: with g = tau3 + 2 x,

    x = [[n, alpha], [beta, -nt]],   n = N - 1 = -alpha b,   nt = Nt - 1 = -beta a,

and Tr V g V g - 4 is a form in x because g^2 = 1. The linearised problem has alpha = a, beta = b, N = Nt = 1 in the
kinetic terms, and no squares of n. Forms are written for several arguments and called twice: once for the value, once,
with each argument replaced by its change, for the change.
"""

from __future__ import annotations

from typing import Any

from ..compilation.jit import formula
from .columns import (
    CHANNEL_COLUMNS,
    COEFFICIENTS,
    FIRST_GAUGE,
    GAP_IM,
    GAP_RE,
    GAUGE_COLUMNS,
    HX,
    N0,
    PAIR,
    SPIN,
    VERTEX_AXIS,
    VERTEX_COLUMN,
    VERTEX_TAU3,
    VERTICES,
    D,
    W,
)
from .nambu import Spin, add, mul, over_spin, scale, spin_flip, spin_trace, sub, trace, trace_product
from .spin_charge import channel_column, channel_numbers, commutator, spin_vector
from .variations import accumulate, frame, get, put

# Rows of the scratch array (CONJUGATE_ROWS, dim, n): p_k, q_k and the derivatives Phi_k, Psi_k of f with respect to
# them; the changes of the four.
P, Q, PHI, PSI, DP, DQ, DPHI, DPSI = range(8)
CONJUGATE_ROWS = 8
# Bits of what is wanted beyond the conjugates of gap, exchange field and sources.
RATES, KINETIC, DENSITY = 1, 2, 4


@formula
def deviation(a: Spin, b: Spin, linear: bool) -> tuple[Spin, Spin, Spin, Spin]:
    """The blocks n, nt, alpha, beta of x."""
    alpha, beta = a, b
    if not linear:
        _, _, alpha, beta = frame(a, b)
    return scale(-1.0, mul(alpha, b)), scale(-1.0, mul(beta, a)), alpha, beta


@formula
def static_conjugates(x: tuple[Spin, Spin, Spin, Spin], out: Any) -> None:
    """Write what is linear in x: the conjugates of the gap, of h, and of `columns.SOURCES`."""
    n, nt, alpha, beta = x
    above, below = trace(alpha), trace(beta)
    out[GAP_RE], out[GAP_IM] = 2j * (above - below), 2.0 * (above + below)
    out[W] = -2.0 * (trace(n) + trace(nt))
    both, difference = add(n, nt), sub(nt, n)
    for axis in range(3):
        out[HX + axis] = 2j * spin_trace(axis, both)
        out[SPIN[axis]] = 2.0 * spin_trace(axis, difference)
        out[PAIR[axis]] = spin_trace(axis, alpha)


@formula
def scattering(axis: int, tau3: bool, x: Any, y: Any, linear: bool) -> complex:
    """The form of x and y that is -(1/4)(Tr V g V g - 4) for x = y; V = sigma_axis or 1, times tau3 if `tau3`."""
    i, j, k = 1.0 * (axis == 0), 1.0 * (axis == 1), 1.0 * (axis == 2)
    alpha, beta = x[2], x[3]
    if tau3 and axis < 0:
        alpha, beta = scale(-2.0, alpha), scale(-2.0, beta)
    elif tau3:
        alpha = scale(-1.0, add(over_spin(i, j, k, alpha), alpha))
        beta = scale(-1.0, add(over_spin(i, j, k, beta), beta))
    else:
        alpha, beta = spin_flip(i, j, k, alpha), spin_flip(i, j, k, beta)
    total = -trace_product(alpha, y[3]) - trace_product(beta, y[2])
    if not linear and axis >= 0:
        total -= trace_product(spin_flip(i, j, k, x[0]), y[0]) + trace_product(spin_flip(i, j, k, x[1]), y[1])
    return total


@formula
def rate_conjugates(factor: float, x: Any, y: Any, linear: bool, out: Any) -> None:
    """Write factor times the forms of all vertices to the columns of their rates."""
    for k in range(VERTICES):
        out[VERTEX_COLUMN[k]] = 0.0
    for k in range(VERTICES):
        out[VERTEX_COLUMN[k]] += factor * scattering(VERTEX_AXIS[k], VERTEX_TAU3[k], x, y, linear)


@formula
def dressed(v: Spin, n: Spin, alpha: Spin, b: Spin) -> Spin:
    """N V + alpha V b, the diagonal block P; Q with Nt, beta, a."""
    return add(mul(n, v), mul(alpha, mul(v, b)))


@formula
def add_one_flux(k: int, x: Any, y: Any, blocks: tuple[Spin, Spin], p: Spin, q: Spin, phi: Any, psi: Any) -> None:
    """Add x q P - y Q q to Phi_k and y p Q - x P p to Psi_k; p, q are those along the other axis of a channel."""
    big_p, big_q = blocks
    accumulate(phi, k, 1.0, sub(scale(x, mul(q, big_p)), scale(y, mul(big_q, q))))
    accumulate(psi, k, 1.0, sub(scale(y, mul(p, big_q)), scale(x, mul(big_p, p))))


@formula
def add_channel_flux(
    i: int, j: int, x: Any, y: Any, blocks: tuple[Spin, Spin], p: Any, q: Any, phi: Any, psi: Any
) -> None:  # fmt: skip
    """Add what a channel with the blocks (P, Q) contributes to Phi_k and Psi_k."""
    like = blocks[0]
    add_one_flux(i, x, y, blocks, get(like, p, j), get(like, q, j), phi, psi)
    add_one_flux(j, -x, -y, blocks, get(like, p, i), get(like, q, i), phi, psi)


@formula
def gauge_conjugates(alpha: Spin, beta: Spin, a: Spin, b: Spin, flows: Any, phi: Spin, psi: Spin, out: Any) -> None:
    """Add df/dA = -2i (tr alpha Phi - tr beta Psi) and df/dSU_a = -(i/2) tr sigma_a ([a, Phi N] + [b, Psi Nt]).

    `flows` are Phi N and Psi Nt; out (4,).
    """
    out[0] += -2j * (trace_product(alpha, phi) - trace_product(beta, psi))
    if len(a) == 4:  # a diagonal a commutes with the conserved spin, and nothing else flows
        m = add(sub(mul(a, flows[0]), mul(flows[0], a)), sub(mul(b, flows[1]), mul(flows[1], b)))
        for axis in range(3):
            out[1 + axis] += -0.5j * spin_trace(axis, m)


@formula
def vector_matrix(r: Spin, t: Spin, x: Any, a: Spin, b: Spin) -> Spin:
    """The matrix M of tr P R + tr Q T = tr V M, V = v.sigma, for a channel; x = (N, Nt, alpha, beta).

    Its traces with sigma_a are the conjugates of the spin vector v.
    """
    n, nt, alpha, beta = x
    first = add(mul(r, n), mul(b, mul(r, alpha)))
    return add(first, add(mul(t, nt), mul(a, mul(t, beta))))


@formula
def amounts(d: Any, big_p: Spin, big_q: Spin, r: Spin, t: Spin, out: Any) -> None:
    """Add the conjugates of theta and kappa of a channel to out (2,); r, t are [p, q], [q, p] along its axes."""
    one, two = trace_product(big_p, r), trace_product(big_q, t)
    out[0] += d * (one - two)
    out[1] += -1j * d * (one + two)


@formula
def kinetic_frame(a: Spin, b: Spin, linear: bool) -> tuple[Spin, Spin, Spin, Spin]:
    """N, Nt, alpha, beta as they stand in the kinetic terms, and a, b of the blocks P, Q."""
    n, nt, alpha, beta = frame(a, b)
    if linear:
        zero = scale(0.0, a)
        n, nt, _, _ = frame(zero, zero)
        alpha, beta = a, b
    return n, nt, alpha, beta


@formula
def write_rows(d: Any, n: Spin, nt: Spin, dz: Any, rows: Any) -> None:
    """Write p_k, q_k and the kinetic part of Phi_k and Psi_k."""
    for k in range(dz.shape[1]):
        p, q = mul(n, get(n, dz[0], k)), mul(nt, get(n, dz[1], k))
        put(rows[P], k, p)
        put(rows[Q], k, q)
        put(rows[PHI], k, scale(2.0 * d, q))
        put(rows[PSI], k, scale(2.0 * d, p))


@formula
def kinetic_conjugates(c: Any, pairs: Any, a: Spin, b: Spin, dz: Any, linear: bool, rows: Any, out: Any) -> None:
    """Write the conjugates of D, the gauge fields and the channels; dz (2, dim, n) are D_k a and D_k b."""
    x = kinetic_frame(a, b, linear)
    n, nt, alpha, beta = x
    zero, dim, d = scale(0.0, a), dz.shape[1], c[D]
    inside = (n, nt, zero, zero) if linear else x  # of P and Q
    write_rows(d, n, nt, dz, rows)
    first = FIRST_GAUGE + GAUGE_COLUMNS * dim
    out[D] = 0.0
    out[FIRST_GAUGE:] = 0.0
    for channel in range(len(pairs)):
        i, j, right, left = channel_numbers(c, pairs, channel)
        v = spin_vector(a, c, channel_column(c, pairs, channel))
        blocks = dressed(v, inside[0], inside[2], b), dressed(v, inside[1], inside[3], a)
        add_channel_flux(i, j, d * right, d * left, blocks, rows[P], rows[Q], rows[PHI], rows[PSI])
        r, t = commutator(a, rows[P], rows[Q], i, j), commutator(a, rows[Q], rows[P], i, j)
        own = out[first + CHANNEL_COLUMNS * channel :]
        amounts(d, blocks[0], blocks[1], r, t, own[3:])
        one, two = scale(right, r), scale(left, t)
        m = vector_matrix(one, two, inside, a, b)
        for axis in range(3):
            own[axis] = d * spin_trace(axis, m)
        out[D] += trace_product(blocks[0], one) + trace_product(blocks[1], two)
    for k in range(dim):
        phi, psi = get(a, rows[PHI], k), get(a, rows[PSI], k)
        out[D] += 2.0 * trace_product(get(a, rows[P], k), get(a, rows[Q], k))
        flows = mul(phi, n), mul(psi, nt)
        gauge_conjugates(alpha, beta, a, b, flows, phi, psi, out[FIRST_GAUGE + GAUGE_COLUMNS * k :])


@formula
def density(w: Any, c: Any, out: Any) -> complex:
    """The density f, measured from the normal metal, by Euler's theorem from the conjugates of its columns."""
    f: complex = w * out[W]
    for column in range(COEFFICIENTS):
        if column != N0:
            f += c[column] * out[column]
    return f


@formula
def conjugates(
    w: Any, c: Any, pairs: Any, a: Spin, b: Spin, dz: Any, linear: bool, parts: int, rows: Any, out: Any
) -> None:
    """Write df/dc of all columns, per density of states, to out: local ones, `columns.SOURCES`, gauge, channels.

    Of `parts`, RATES has the rates of scattering, KINETIC what belongs to D, gauge fields and channels and needs dz,
    and DENSITY, with both, N0, whose conjugate is f at the frequency w; what has no part is always written.
    """
    x = deviation(a, b, linear)
    static_conjugates(x, out)
    if parts & RATES:
        rate_conjugates(1.0, x, x, linear, out)
    if parts & KINETIC:
        kinetic_conjugates(c, pairs, a, b, dz, linear, rows, out)
    if parts & DENSITY:
        out[N0] = density(w, c, out)
