r"""Spin-charge coupling: the spin Hall and spin-swapping terms of the functional.

    f_sc = (D/4) { Theta_ij^a Tr sigma_a g d_i g d_j g - i Kappa_ij^a Tr sigma_a d_i g d_j g },

with Theta_ij^a = theta eps_ija (isotropic) plus any antisymmetric tensor, and Kappa_ij^a = kappa eps_ija. It is a sum
of channels: a pair i < j of mesh axes, a real spin vector v and two numbers theta, kappa. With V = v.sigma and the
blocks P = N (V + a V b), Q = Nt (V + b V a), E = alpha V - N V a, Et = Nt V b - beta V of U^-1 V U, a channel is

    f_c = tr P R + tr Q T,    R = x (p_i q_j - p_j q_i),  x =  D (theta - i kappa),
                              T = y (q_i p_j - q_j p_i),  y = -D (theta + i kappa).

Its variations follow from D P = E eta + xi Et, D Q = -Et xi - eta E, D E = xi Q - P xi, D Et = Q eta - eta P and those
of p_k, q_k (docs, "Adding a term").
"""

from __future__ import annotations

from typing import Any

from ..compilation.jit import formula
from .columns import CHANNEL_COLUMNS
from .nambu import Spin, add, mul, pauli, scale, sub
from .variations import AL, GA, P_ROW, PHI, Q_ROW, SUM_AA, SUM_LEFT, SUM_RIGHT, accumulate, get, modulus, outer


@formula
def channel_column(coefficients: Any, pairs: Any, channel: int) -> int:
    """First column of a channel: the channels end the row of coefficients of a point."""
    return len(coefficients) - CHANNEL_COLUMNS * (len(pairs) - channel)


@formula
def spin_vector(like: Spin, coefficients: Any, column: int) -> Spin:
    """v.sigma of the channel that begins at a column."""
    x, y, z = coefficients[column], coefficients[column + 1], coefficients[column + 2]
    return pauli(like, 0j, x, y, z)


@formula
def diagonal_blocks(v: Spin, vectors: Any, a: Spin, b: Spin) -> tuple[Spin, Spin]:
    """The diagonal blocks P = N (V + a V b) and Q = Nt (V + b V a) of U^-1 V U."""
    return mul(vectors[0], add(v, mul(a, mul(v, b)))), mul(vectors[1], add(v, mul(b, mul(v, a))))


@formula
def channel_numbers(c: Any, pairs: Any, channel: int) -> tuple[int, int, complex, complex]:
    """Axes i, j of a channel and its numbers x/D, y/D (`spin_charge`)."""
    column = channel_column(c, pairs, channel)
    theta, kappa = c[column + 3], c[column + 4]
    return pairs[channel, 0], pairs[channel, 1], complex(theta, -kappa), complex(-theta, -kappa)


@formula
def commutator(like: Spin, x: Any, y: Any, i: int, j: int) -> Spin:
    """x_i y_j - x_j y_i of rows (dim, n)."""
    return sub(mul(get(like, x, i), get(like, y, j)), mul(get(like, x, j), get(like, y, i)))


@formula
def commutators(
    d: Any, coefficients: Any, pairs: Any, channel: int, a: Spin, rows: Any
) -> tuple[int, int, Any, Any, Spin, Spin]:
    """The axes i, j, the numbers x, y and the matrices R, T of a channel."""
    i, j, right, left = channel_numbers(coefficients, pairs, channel)
    p, q, x, y = rows[P_ROW], rows[Q_ROW], d * right, d * left
    return i, j, x, y, scale(x, commutator(a, p, q, i, j)), scale(y, commutator(a, q, p, i, j))


@formula
def add_derivative(
    sign: float, k: Any, other: Any, x: Any, y: Any, blocks: Any, n: Spin, nt: Spin, a: Spin, b: Spin, hessian: bool,
    hk0: Any, rows: Any,
) -> None:  # fmt: skip
    """Add what a channel contributes to the terms with d_k through the derivative along `other`, times sign."""
    p_block, q_block, e, et = blocks
    p, q = get(a, rows[P_ROW], other), get(a, rows[Q_ROW], other)
    qp, qq = mul(q, p_block), mul(q_block, q)
    accumulate(rows[PHI], k, sign, sub(scale(x, qp), scale(y, qq)))
    if not hessian:
        return
    aq, qa, etp, pet = mul(a, q), mul(q, a), mul(et, p), mul(p, et)
    accumulate(rows[AL], k, sign, sub(scale(x, mul(a, qp)), scale(y, mul(e, q))))
    accumulate(rows[GA], k, -sign, add(scale(x, mul(q, e)), scale(y, mul(qq, a))))
    accumulate(rows[SUM_AA], k, sign, add(scale(x, mul(etp, b)), scale(y, mul(b, pet))))
    accumulate(rows[SUM_LEFT], k, sign, add(scale(x, etp), scale(y, mul(b, mul(p, q_block)))))
    accumulate(rows[SUM_RIGHT], k, sign, sub(scale(y, pet), scale(x, mul(p_block, mul(p, b)))))
    qn, etn = mul(q, n), mul(et, n)
    outer(hk0[k], 0, sign * x, qn, etn)
    outer(hk0[k], 0, sign * y, etn, qn)
    outer(hk0[k], len(n), -sign * x, mul(qa, nt), mul(p_block, n))
    outer(hk0[k], len(n), sign * y, mul(q_block, nt), mul(aq, n))


@formula
def add_channel(blocks: Any, r: Spin, t: Spin, n: Spin, nt: Spin, a: Spin, b: Spin, h00: Any) -> tuple[Spin, Spin]:
    """Second variation of a channel through P, Q, R, T; returns what it adds to the middle matrices of ab."""
    p_block, q_block, e, et = blocks
    br, tb = mul(b, r), mul(t, b)
    outer(h00, 0, 2.0, mul(et, n), mul(sub(tb, br), n))
    outer(h00, len(n), 1.0, mul(q_block, nt), mul(add(r, mul(a, tb)), n))
    outer(h00, len(n), 1.0, mul(add(mul(br, a), t), nt), mul(p_block, n))
    left = add(mul(br, add(mul(p_block, a), e)), add(mul(et, mul(r, a)), mul(t, q_block)))
    right = add(mul(p_block, r), mul(sub(mul(a, q_block), e), tb))
    return left, sub(right, mul(a, mul(t, et)))


@formula
def add_sums(k: Any, n: Spin, nt: Spin, a: Spin, h00: Any, rows: Any) -> None:
    """Second variation through q_k and the sums over channels that multiply it."""
    q = get(a, rows[Q_ROW], k)
    outer(h00, 0, 2.0, mul(q, n), mul(get(a, rows[SUM_AA], k), n))
    outer(h00, len(n), 1.0, mul(get(a, rows[SUM_LEFT], k), nt), mul(mul(a, q), n))
    outer(h00, len(n), 1.0, mul(mul(q, a), nt), mul(get(a, rows[SUM_RIGHT], k), n))


@formula
def spin_charge(
    d: Any, coefficients: Any, pairs: Any, vectors: Any, a: Spin, b: Spin, hessian: bool, h00: Any, hk0: Any, hkl: Any,
    rows: Any,
) -> tuple[Spin, float, tuple[Spin, Spin]]:  # fmt: skip
    """Add all channels to Phi_k, Al_k, Ga_k and to the Hessian.

    Returned are the part of the gradient (to be multiplied by N), its size, and of the two middle matrices of the ab
    second variation; arguments as in `functional.evaluate`.
    """
    n, nt, alpha, beta = vectors
    zero = scale(0.0, a)
    gradient, size, left, right = zero, 0.0, zero, zero
    for row in (SUM_AA, SUM_LEFT, SUM_RIGHT):
        rows[row] = 0.0
    hkl[:] = 0.0
    for channel in range(len(pairs)):
        column = channel_column(coefficients, pairs, channel)
        v = spin_vector(a, coefficients, column)
        p_block, q_block = diagonal_blocks(v, vectors, a, b)
        e, et = sub(mul(alpha, v), mul(n, mul(v, a))), sub(mul(nt, mul(v, b)), mul(beta, v))
        blocks = p_block, q_block, e, et
        i, j, x, y, r, t = commutators(d, coefficients, pairs, channel, a, rows)
        plus, minus = mul(et, r), mul(t, et)
        gradient, size = add(gradient, sub(plus, minus)), size + modulus(plus) + modulus(minus)
        add_derivative(1.0, i, j, x, y, blocks, n, nt, a, b, hessian, hk0, rows)
        add_derivative(-1.0, j, i, x, y, blocks, n, nt, a, b, hessian, hk0, rows)
        if hessian:
            one, two = add_channel(blocks, r, t, n, nt, a, b, h00)
            left, right = sub(left, one), sub(right, two)
            outer(hkl[i + j - 1], 0, x, nt, mul(p_block, n))
            outer(hkl[i + j - 1], 0, -y, mul(q_block, nt), n)
    if hessian:
        for k in range(rows.shape[1]):
            add_sums(k, n, nt, a, h00, rows)
    return gradient, size, (left, right)
