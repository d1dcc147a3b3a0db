"""The frame of U that the terms of the functional are varied in, and the tools that they share.

Every second variation is a sum of terms tr(du X dv Y), an outer product of X and Y in the basis of matrix entries. With
xi = N da and eta = Nt db, a term tr(xi X eta Y) is tr(da [X Nt] db [Y N]).
"""

from __future__ import annotations

from typing import Any

from .jit import formula
from .nambu import Spin, inverse_of_one_plus, mul, transpose

# Rows of the scratch array in which the terms of the functional leave what they share, (ROWS, dim, 4): p_k and q_k; the
# derivative Phi_k of f with respect to N d_k a; its two coefficients of eta; sums over channels of spin-charge
# coupling.
P_ROW, Q_ROW, PHI, AL, GA, SUM_AA, SUM_LEFT, SUM_RIGHT = range(8)
ROWS = 8


@formula
def outer(block: Any, first: int, c: Any, x: Spin, y: Spin) -> None:
    """Add the second variation c tr(du x dv y) to block[4 rows (entries of du), columns first..first + 3]."""
    t = transpose(y)
    for i in range(2):
        for j in range(2):
            for k in range(2):
                for m in range(2):
                    block[2 * i + j, first + 2 * k + m] += c * x[2 * j + k] * t[2 * i + m]


@formula
def get(array: Any, k: Any) -> Spin:
    """Row k of an array (..., 4) as a spin matrix."""
    return array[k, 0], array[k, 1], array[k, 2], array[k, 3]


@formula
def put(array: Any, k: Any, x: Spin) -> None:
    """Write a spin matrix to row k."""
    array[k, 0], array[k, 1], array[k, 2], array[k, 3] = x


@formula
def accumulate(array: Any, k: Any, c: Any, x: Spin) -> None:
    """Add c x to row k."""
    array[k, 0] += c * x[0]
    array[k, 1] += c * x[1]
    array[k, 2] += c * x[2]
    array[k, 3] += c * x[3]


@formula
def frame(a: Spin, b: Spin) -> tuple[Spin, Spin, Spin, Spin]:
    """N, Nt, alpha = N a and beta = b N."""
    n = inverse_of_one_plus(mul(a, b))
    nt = inverse_of_one_plus(mul(b, a))
    return n, nt, mul(n, a), mul(b, n)


@formula
def modulus(x: Spin) -> float:
    """Sum of |Re| + |Im| over the entries."""
    total = 0.0
    for c in range(4):
        total += abs(x[c].real) + abs(x[c].imag)
    return total
