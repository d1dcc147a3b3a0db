"""Spin x Nambu algebra.

Basis Psi = (psi_up, psi_dn, psi_dn^+, -psi_up^+): Nambu (tau) outer, spin (sigma) inner; singlet pairing is the
identity in spin space.

Two representations are used. In compiled formulas a 2x2 spin matrix is a tuple, which the compiler keeps in registers;
its length is the sector (`sector`): (m00, m01, m10, m11) for any matrix, (m00, m11) for a diagonal one (spin along z is
conserved), and (m,) for a multiple m of the unit matrix (nothing depends on spin). The formulas are the same for all
three; kernels are compiled for the one that they are called with. Everywhere else matrices are arrays with the matrix
axes first and the positions last, shape (2, 2, ...) or (4, 4, ...).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..compilation.jit import formula

Spin = tuple[complex, ...]
Complex = NDArray[np.complex128]

SIGMA: Complex = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]], dtype=complex)


@formula
def mul(x: Spin, y: Spin) -> Spin:
    """The product x y."""
    if len(x) == 4:
        return (
            x[0] * y[0] + x[1] * y[2],
            x[0] * y[1] + x[1] * y[3],
            x[2] * y[0] + x[3] * y[2],
            x[2] * y[1] + x[3] * y[3],
        )
    if len(x) == 2:
        return x[0] * y[0], x[1] * y[1]
    return (x[0] * y[0],)


@formula
def add(x: Spin, y: Spin) -> Spin:
    """The sum x + y."""
    if len(x) == 4:
        return x[0] + y[0], x[1] + y[1], x[2] + y[2], x[3] + y[3]
    if len(x) == 2:
        return x[0] + y[0], x[1] + y[1]
    return (x[0] + y[0],)


@formula
def sub(x: Spin, y: Spin) -> Spin:
    """The difference x - y."""
    if len(x) == 4:
        return x[0] - y[0], x[1] - y[1], x[2] - y[2], x[3] - y[3]
    if len(x) == 2:
        return x[0] - y[0], x[1] - y[1]
    return (x[0] - y[0],)


@formula
def scale(c: Any, x: Spin) -> Spin:
    """The multiple c x of a number c."""
    if len(x) == 4:
        return c * x[0], c * x[1], c * x[2], c * x[3]
    if len(x) == 2:
        return c * x[0], c * x[1]
    return (c * x[0],)


@formula
def pauli(like: Spin, c: Any, x: Any, y: Any, z: Any) -> Spin:
    """c + x sigma_x + y sigma_y + z sigma_z, what a sector keeps of it."""
    if len(like) == 4:
        return c + z + 0j, x - 1j * y, x + 1j * y, c - z + 0j
    if len(like) == 2:
        return c + z + 0j, c - z + 0j
    return (c + 0j,)


@formula
def basis_matrix(like: Spin, c: int) -> Spin:
    """The matrix whose stored entry c is 1 and whose others vanish."""
    if len(like) == 4:
        return 1.0 * (c == 0) + 0j, 1.0 * (c == 1) + 0j, 1.0 * (c == 2) + 0j, 1.0 * (c == 3) + 0j
    if len(like) == 2:
        return 1.0 * (c == 0) + 0j, 1.0 * (c == 1) + 0j
    return (1.0 + 0j,)


@formula
def trace(x: Spin) -> complex:
    """The trace of x."""
    if len(x) == 4:
        return x[0] + x[3]
    if len(x) == 2:
        return x[0] + x[1]
    return 2.0 * x[0]


@formula
def spin_trace(axis: int, x: Spin) -> complex:
    """The trace of sigma_axis x, axis 0, 1, 2 for x, y, z; x is a diagonal matrix in a sector of two entries."""
    if len(x) == 4:
        if axis == 0:
            return x[1] + x[2]
        if axis == 1:
            return 1j * (x[1] - x[2])
        return x[0] - x[3]
    if len(x) == 2 and axis == 2:
        return x[0] - x[1]
    return 0.0 * x[0]


@formula
def trace_product(x: Spin, y: Spin) -> complex:
    """The trace of x y."""
    if len(x) == 4:
        return x[0] * y[0] + x[1] * y[2] + x[2] * y[1] + x[3] * y[3]
    if len(x) == 2:
        return x[0] * y[0] + x[1] * y[1]
    return 2.0 * x[0] * y[0]


@formula
def determinant(x: Spin) -> complex:
    """The determinant of x."""
    if len(x) == 4:
        return x[0] * x[3] - x[1] * x[2]
    if len(x) == 2:
        return x[0] * x[1]
    return x[0] * x[0]


@formula
def entries(x: Spin) -> Spin:
    """The derivatives of tr(a x) with respect to the stored entries of a."""
    if len(x) == 4:
        return x[0], x[2], x[1], x[3]
    if len(x) == 2:
        return x
    return (2.0 * x[0],)


@formula
def from_entries(x: Spin) -> Spin:
    """The matrix g whose derivatives of tr(a g) with respect to the stored entries of a are x."""
    if len(x) == 4:
        return x[0], x[2], x[1], x[3]
    if len(x) == 2:
        return x
    return (0.5 * x[0],)


@formula
def reciprocal(x: Any) -> complex:
    """1/x of a number far from overflow: two divisions less than the safe one."""
    size = 1.0 / (x.real * x.real + x.imag * x.imag)
    return complex(x.real * size, -x.imag * size)


@formula
def inverse_of_one_plus(x: Spin) -> Spin:
    """The inverse (1 + x)^-1."""
    if len(x) == 4:
        c = reciprocal((1.0 + x[0]) * (1.0 + x[3]) - x[1] * x[2])
        return c * (1.0 + x[3]), -c * x[1], -c * x[2], c * (1.0 + x[0])
    if len(x) == 2:
        return reciprocal(1.0 + x[0]), reciprocal(1.0 + x[1])
    return (reciprocal(1.0 + x[0]),)


@formula
def tilde(x: Spin) -> Spin:
    """sigma_y x* sigma_y, which takes a into b at a Matsubara frequency (theory, section on symmetries)."""
    if len(x) == 4:
        return x[3].conjugate(), -x[2].conjugate(), -x[1].conjugate(), x[0].conjugate()
    if len(x) == 2:
        return x[1].conjugate(), x[0].conjugate()
    return (x[0].conjugate(),)


@formula
def dagger(x: Spin) -> Spin:
    """The Hermitian conjugate of x."""
    if len(x) == 4:
        return x[0].conjugate(), x[2].conjugate(), x[1].conjugate(), x[3].conjugate()
    if len(x) == 2:
        return x[0].conjugate(), x[1].conjugate()
    return (x[0].conjugate(),)


@formula
def over_spin(x: float, y: float, z: float, m: Spin) -> Spin:
    """The sum x sigma_x m sigma_x + y sigma_y m sigma_y + z sigma_z m sigma_z."""
    if len(m) == 4:
        across, flip = x + y, x - y
        return z * m[0] + across * m[3], flip * m[2] - z * m[1], flip * m[1] - z * m[2], z * m[3] + across * m[0]
    if len(m) == 2:
        return z * m[0] + (x + y) * m[1], z * m[1] + (x + y) * m[0]
    return ((x + y + z) * m[0],)


@formula
def spin_flip(x: float, y: float, z: float, m: Spin) -> Spin:
    """The same minus (x + y + z) m, exactly zero for a multiple of the unit matrix."""
    if len(m) == 4:
        change, flip, all_axes = (x + y) * (m[3] - m[0]), x - y, x + y + 2.0 * z
        return change, flip * m[2] - all_axes * m[1], flip * m[1] - all_axes * m[2], -change
    if len(m) == 2:
        change = (x + y) * (m[1] - m[0])
        return change, -change
    return (0.0 * m[0],)


@formula
def sigma_left(axis: int, x: Spin) -> Spin:
    """The product sigma_axis x, axis 0, 1, 2 for x, y, z.

    In the collinear sector sigma_x x = x' sigma_x leads out of it; returned is x', the entries exchanged, and the same
    for y up to a phase that cancels in products of two. In the spinless one sigma_a commutes with all and is left out.
    """
    if len(x) == 4:
        if axis == 0:
            return x[2], x[3], x[0], x[1]
        if axis == 1:
            return -1j * x[2], -1j * x[3], 1j * x[0], 1j * x[1]
        return x[0], x[1], -x[2], -x[3]
    if len(x) == 2:
        if axis == 2:
            return x[0], -x[1]
        return x[1], x[0]
    return x


def dot(*factors: Complex) -> Complex:
    """Matrix product of arrays with matrix axes first, shape (n, n, ...) each."""
    product = factors[0]
    for factor in factors[1:]:
        product = np.einsum("ij...,jk...->ik...", product, factor)
    return product


def blocks(upper_left: Complex, upper_right: Complex, lower_left: Complex, lower_right: Complex) -> Complex:
    """The 4x4 matrix of four 2x2 Nambu blocks, shape (4, 4, ...)."""
    rows = (np.concatenate((upper_left, upper_right), axis=1), np.concatenate((lower_left, lower_right), axis=1))
    return np.concatenate(rows, axis=0)
