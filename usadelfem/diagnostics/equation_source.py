"""The right-hand side of the Usadel equation at the corners and the centre of every cell, and how large g is there."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..compilation.jit import formula, kernel, readonly
from ..fem.conjugates import both
from ..fem.problem import Problem
from ..physics.columns import COEFFICIENTS, GAP, GAUGE_COLUMNS, D
from ..physics.functional import green_blocks, self_energy
from ..physics.gauge import su2_matrix
from ..physics.nambu import Spin, add, mul, pauli, scale, sub
from ..physics.variations import frame, put

Complex = NDArray[np.complex128]
Real = NDArray[np.float64]


class Examined(NamedTuple):
    """Of some cells: largest norm of the right-hand side and of the pair amplitudes, and g at the corners.

    `corners` (corners, cells, 4n) are the entries of g, scaled so that their norm is that of the 4x4 matrix.
    """

    source: Real
    amplitude: Real
    corners: Complex


@formula
def commutator(x: Any, y: Any) -> Any:
    """[x, y] of matrices of Nambu blocks 11, 12, 21, 22."""
    return (
        sub(add(mul(x[0], y[0]), mul(x[1], y[2])), add(mul(y[0], x[0]), mul(y[1], x[2]))),
        sub(add(mul(x[0], y[1]), mul(x[1], y[3])), add(mul(y[0], x[1]), mul(y[1], x[3]))),
        sub(add(mul(x[2], y[0]), mul(x[3], y[2])), add(mul(y[2], x[0]), mul(y[3], x[2]))),
        sub(add(mul(x[2], y[1]), mul(x[3], y[3])), add(mul(y[2], x[1]), mul(y[3], x[3]))),
    )


@formula
def square(x: Spin) -> float:
    """Sum of the squared moduli of the entries of the 2x2 matrix."""
    total = 0.0
    for c in range(len(x)):
        total += x[c].real * x[c].real + x[c].imag * x[c].imag
    return 2.0 * total if len(x) == 1 else total


@formula
def right_hand_side(w: Any, c: Any, axes: int, g: Any) -> Any:
    """[L, g] and D [X_k, [X_k, g]] with the gauge fields X_k = A_k tau3 + SU_k, as Nambu blocks."""
    total = commutator(self_energy(w, c, g[0], g[1], g[2], g[3]), g)
    for k in range(axes):
        s, zero = su2_matrix(g[0], c, COEFFICIENTS, k), scale(0.0, g[0])
        a = pauli(g[0], c[COEFFICIENTS + GAUGE_COLUMNS * k], 0.0, 0.0, 0.0)
        field = add(s, a), zero, zero, sub(s, a)
        twice = commutator(field, commutator(field, g))
        total = (
            add(total[0], scale(c[D], twice[0])), add(total[1], scale(c[D], twice[1])),
            add(total[2], scale(c[D], twice[2])), add(total[3], scale(c[D], twice[3])),
        )  # fmt: skip
    return total


@kernel("the examination of meshes")
def examine_cells(
    like: Spin, w: Any, state: Any, cells: Any, table: Any, axes: int, shapes: Any, fit: Any, factor: float, c: Any,
    source: Any, amplitude: Any, corners: Any,
) -> None:  # fmt: skip
    """Write the fields of `Examined`; coefficients are extrapolated linearly, gaps times `factor`; c is scratch."""
    size = np.sqrt(2.0) if len(like) == 1 else 1.0
    for e in range(len(cells)):
        for p in range(len(shapes)):
            for column in range(len(c)):
                c[column] = 0.0
                for q in range(fit.shape[1]):
                    c[column] += fit[p, q] * table[e, q, column]
            c[GAP[0]] *= factor
            c[GAP[1]] *= factor
            a, b = both(like, state, cells[e], shapes[p])
            n, nt, alpha, beta = frame(a, b)
            g = green_blocks(n, nt, alpha, beta)
            r = right_hand_side(w, c, axes, g)
            source[e] = max(source[e], np.sqrt(square(r[0]) + square(r[1]) + square(r[2]) + square(r[3])))
            amplitude[e] = max(amplitude[e], np.sqrt(square(g[1]) + square(g[2])))
            if p < len(corners):
                for block in range(4):
                    put(corners[p, e], block, scale(size, g[block]))


def examine(
    problem: Problem, w: complex, state: Complex, shapes: Real, fit: Real, factor: float, chosen: slice
) -> Examined:  # fmt: skip
    """Look at a state in the sector of the problem at local points of cells, the last of which is their centre."""
    space, like, own = problem.space, problem.sector.like, problem.aligned[0]
    cells, table, given, values, weights = readonly(space.cells[chosen], own.table[chosen], state, shapes, fit)
    count, corners = len(cells), np.zeros((len(shapes) - 1, len(cells), 4, len(like)), complex)
    source, amplitude = np.zeros(count), np.zeros(count)
    axes = own.gauge.shape[2]
    examine_cells(
        like, complex(w), given, cells, table, axes, values, weights, factor, np.zeros(table.shape[2]), source,
        amplitude, corners,
    )  # fmt: skip
    return Examined(source, amplitude, corners.reshape(*corners.shape[:2], -1))
