"""Spin x Nambu algebra.

Basis Psi = (psi_up, psi_dn, psi_dn^+, -psi_up^+): Nambu (tau) outer, spin (sigma) inner; singlet pairing is the
identity in spin space.

Two representations are used. In compiled formulas a 2x2 spin matrix is the tuple (m00, m01, m10, m11), which the
compiler keeps in registers. Everywhere else matrices are arrays with the matrix axes first and the positions last,
shape (2, 2, ...) or (4, 4, ...).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .jit import formula

Spin = tuple[complex, complex, complex, complex]
Complex = NDArray[np.complex128]

SIGMA: Complex = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]], dtype=complex)


@formula
def mul(x: Spin, y: Spin) -> Spin:
    """The product x y."""
    return (
        x[0] * y[0] + x[1] * y[2],
        x[0] * y[1] + x[1] * y[3],
        x[2] * y[0] + x[3] * y[2],
        x[2] * y[1] + x[3] * y[3],
    )


@formula
def add(x: Spin, y: Spin) -> Spin:
    """The sum x + y."""
    return x[0] + y[0], x[1] + y[1], x[2] + y[2], x[3] + y[3]


@formula
def sub(x: Spin, y: Spin) -> Spin:
    """The difference x - y."""
    return x[0] - y[0], x[1] - y[1], x[2] - y[2], x[3] - y[3]


@formula
def scale(c: Any, x: Spin) -> Spin:
    """The multiple c x of a number c."""
    return c * x[0], c * x[1], c * x[2], c * x[3]


@formula
def trace(x: Spin) -> complex:
    """The trace of x."""
    return x[0] + x[3]


@formula
def trace_product(x: Spin, y: Spin) -> complex:
    """The trace of x y."""
    return x[0] * y[0] + x[1] * y[2] + x[2] * y[1] + x[3] * y[3]


@formula
def transpose(x: Spin) -> Spin:
    """The transpose of x."""
    return x[0], x[2], x[1], x[3]


@formula
def inverse_of_one_plus(x: Spin) -> Spin:
    """The inverse (1 + x)^-1."""
    determinant = (1.0 + x[0]) * (1.0 + x[3]) - x[1] * x[2]
    c = 1.0 / determinant
    return c * (1.0 + x[3]), -c * x[1], -c * x[2], c * (1.0 + x[0])


@formula
def tilde(x: Spin) -> Spin:
    """sigma_y x* sigma_y, which takes a into b at a Matsubara frequency (theory, section on symmetries)."""
    return x[3].conjugate(), -x[2].conjugate(), -x[1].conjugate(), x[0].conjugate()


@formula
def sum_over_spin(x: Spin) -> Spin:
    """The sum over a of sigma_a x sigma_a, which is 2 tr x - x."""
    t = 2.0 * (x[0] + x[3])
    return t - x[0], -x[1], -x[2], t - x[3]


@formula
def sigma_left(axis: int, x: Spin) -> Spin:
    """The product sigma_axis x, axis 0, 1, 2 for x, y, z."""
    if axis == 0:
        return x[2], x[3], x[0], x[1]
    if axis == 1:
        return -1j * x[2], -1j * x[3], 1j * x[0], 1j * x[1]
    return x[0], x[1], -x[2], -x[3]


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
