"""The frame of U that the terms of the functional are varied in, and the tools that they share.

Every second variation is a sum of terms tr(du X dv Y), an outer product of X and Y in the basis of matrix entries. With
xi = N da and eta = Nt db, a term tr(xi X eta Y) is tr(da [X Nt] db [Y N]).
"""

from __future__ import annotations

from typing import Any

from ..compilation.jit import formula, inlined
from .nambu import Spin, add, inverse_of_one_plus, mul, scale

# Rows of the scratch array in which the terms of the functional leave what they share, (ROWS, dim, n): p_k and q_k; the
# derivative Phi_k of f with respect to N d_k a; its two coefficients of eta; sums over channels of spin-charge
# coupling.
P_ROW, Q_ROW, PHI, AL, GA, SUM_AA, SUM_LEFT, SUM_RIGHT = range(8)
ROWS = 8


@inlined
def outer_row(block: Any, row: int, first: int, x0: Any, x1: Any, y0: Any, y1: Any) -> None:
    """Add the products of (x0, x1) and (y0, y1) to four columns of a row."""
    block[row, first] += x0 * y0
    block[row, first + 1] += x0 * y1
    block[row, first + 2] += x1 * y0
    block[row, first + 3] += x1 * y1


@formula
def outer(block: Any, first: int, c: Any, x: Spin, y: Spin) -> None:
    """Add the second variation c tr(du x dv y) to block[rows: entries of du, columns from `first`: entries of dv]."""
    if len(x) == 4:
        s = scale(c, x)
        outer_row(block, 0, first, s[0], s[1], y[0], y[2])
        outer_row(block, 1, first, s[2], s[3], y[0], y[2])
        outer_row(block, 2, first, s[0], s[1], y[1], y[3])
        outer_row(block, 3, first, s[2], s[3], y[1], y[3])
    elif len(x) == 2:
        block[0, first] += c * x[0] * y[0]
        block[1, first + 1] += c * x[1] * y[1]
    else:
        block[0, first] += 2.0 * c * x[0] * y[0]


@inlined
def outer_row_two(block: Any, row: int, first: int, x: tuple[Any, ...], y: tuple[Any, ...]) -> None:
    """Add the products of (x[0], x[1]) and (y[0], y[1]), and of (x[2], x[3]) and (y[2], y[3]), to four columns."""
    block[row, first] += x[0] * y[0] + x[2] * y[2]
    block[row, first + 1] += x[0] * y[1] + x[2] * y[3]
    block[row, first + 2] += x[1] * y[0] + x[3] * y[2]
    block[row, first + 3] += x[1] * y[1] + x[3] * y[3]


@formula
def outer_two(block: Any, first: int, c: Any, x: Spin, y: Spin, z: Spin, t: Spin) -> None:
    """`outer` of c, x, y and of c, z, t at once, since reading and writing the block takes the time."""
    if len(x) == 4:
        s, r = scale(c, x), scale(c, z)
        outer_row_two(block, 0, first, (s[0], s[1], r[0], r[1]), (y[0], y[2], t[0], t[2]))
        outer_row_two(block, 1, first, (s[2], s[3], r[2], r[3]), (y[0], y[2], t[0], t[2]))
        outer_row_two(block, 2, first, (s[0], s[1], r[0], r[1]), (y[1], y[3], t[1], t[3]))
        outer_row_two(block, 3, first, (s[2], s[3], r[2], r[3]), (y[1], y[3], t[1], t[3]))
    elif len(x) == 2:
        block[0, first] += c * (x[0] * y[0] + z[0] * t[0])
        block[1, first + 1] += c * (x[1] * y[1] + z[1] * t[1])
    else:
        block[0, first] += 2.0 * c * (x[0] * y[0] + z[0] * t[0])


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
    nt = inverse_of_one_plus(mul(b, a)) if len(a) == 4 else n  # diagonal matrices commute
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
