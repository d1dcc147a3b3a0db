"""The frame of U that the terms of the functional are varied in, and the tools that they share.

Every second variation is a sum of terms tr(du X dv Y), an outer product of X and Y in the basis of matrix entries. With
xi = N da and eta = Nt db, a term tr(xi X eta Y) is tr(da [X Nt] db [Y N]).
"""

from __future__ import annotations

from typing import Any

from .jit import formula, inlined
from .nambu import Spin, add, inverse_of_one_plus, mul, scale

# Rows of the scratch array in which the terms of the functional leave what they share, (ROWS, dim, n): p_k and q_k; the
# derivative Phi_k of f with respect to N d_k a; its two coefficients of eta; sums over channels of spin-charge
# coupling.
P_ROW, Q_ROW, PHI, AL, GA, SUM_AA, SUM_LEFT, SUM_RIGHT = range(8)
ROWS = 8


@formula
def outer(block: Any, first: int, c: Any, x: Spin, y: Spin) -> None:
    """Add the second variation c tr(du x dv y) to block[rows: entries of du, columns from `first`: entries of dv]."""
    if len(x) == 4:
        t = y[0], y[2], y[1], y[3]
        for i in range(2):
            for j in range(2):
                for k in range(2):
                    for m in range(2):
                        block[2 * i + j, first + 2 * k + m] += c * x[2 * j + k] * t[2 * i + m]
    elif len(x) == 2:
        block[0, first] += c * x[0] * y[0]
        block[1, first + 1] += c * x[1] * y[1]
    else:
        block[0, first] += 2.0 * c * x[0] * y[0]


@formula
def outer_through(axis: int, block: Any, first: int, c: Any, x: Spin, y: Spin) -> None:
    """`outer` of x, y that are products of `sigma_left(axis, ...)`, in the representation that it returns."""
    if len(x) == 2 and (axis == 0 or axis == 1):  # c tr(du x sigma_x dv y sigma_x)
        block[0, first + 1] += c * x[0] * y[1]
        block[1, first] += c * x[1] * y[0]
    else:
        outer(block, first, c, x, y)


@inlined
def get(like: Spin, array: Any, k: Any) -> Spin:
    """Row k of an array (..., entries) as a spin matrix of the sector of `like`."""
    if len(like) == 4:
        return array[k, 0], array[k, 1], array[k, 2], array[k, 3]
    if len(like) == 2:
        return array[k, 0], array[k, 1]
    return (array[k, 0],)


@inlined
def put(array: Any, k: Any, x: Spin) -> None:
    """Write a spin matrix to row k."""
    if len(x) == 4:
        array[k, 0], array[k, 1], array[k, 2], array[k, 3] = x
    elif len(x) == 2:
        array[k, 0], array[k, 1] = x
    else:
        array[k, 0] = x[0]


@inlined
def accumulate(array: Any, k: Any, c: Any, x: Spin) -> None:
    """Add c x to row k."""
    put(array, k, add(get(x, array, k), scale(c, x)))


@formula
def frame(a: Spin, b: Spin) -> tuple[Spin, Spin, Spin, Spin]:
    """N, Nt, alpha = N a and beta = b N."""
    n = inverse_of_one_plus(mul(a, b))
    nt = inverse_of_one_plus(mul(b, a))
    return n, nt, mul(n, a), mul(b, n)


@formula
def modulus(x: Spin) -> float:
    """Sum of |Re| + |Im| over the entries of the 2x2 matrix; in the spinless sector times 2, because the derivative by
    the only entry is the sum of two.
    """
    total = 0.0
    for c in range(len(x)):
        total += abs(x[c].real) + abs(x[c].imag)
    return 4.0 * total if len(x) == 1 else total
