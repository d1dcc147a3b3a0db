"""Riccati matrices and Green's functions as arrays: (a, b) <-> g, bulk solutions, the Matsubara symmetry.

Matrix axes come first and positions last, see `nambu`. A *state* holds the entries a00, a01, a10, a11 of a along its
last axis, shape (..., 4), the layout of the finite-element unknowns.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .nambu import SIGMA, Complex, blocks, dot


def bulk(w: complex, gap: ArrayLike, exchange: ArrayLike, *, linearized: bool = False) -> Complex:
    """Riccati matrix a of a homogeneous superconductor with an exchange field, as a state.

    a = i gap / (W + sqrt(W^2 + |gap|^2)) with W = w - i h.sigma, the solution of [w tau3 - i h.sigma tau3 + Dhat, g]
    = 0 that is normal at high frequency; without h it is a = i gap / (w + sqrt(w^2 + |gap|^2)).

    Parameters
    ----------
    w
        Matsubara frequency, or Gamma - iE for a retarded function; real part positive.
    gap
        Complex order parameter, shape (...).
    exchange
        Exchange field (hx, hy, hz), shape (3, ...).
    linearized
        Keep the first order in the gap only, a = i gap / (2 W).

    Returns
    -------
    array, shape (..., 4)
    """
    gap, h = np.asarray(gap, complex), np.asarray(exchange, float)
    size = np.sqrt((h**2).sum(axis=0))
    direction = h / np.where(size > 0, size, 1.0)

    def scalar(energy: Complex) -> Complex:
        # one root for each factor: sqrt(energy^2 + |gap|^2) itself has the wrong sign where Im w is large
        root = energy if linearized else np.sqrt(energy + 1j * abs(gap)) * np.sqrt(energy - 1j * abs(gap))
        return np.asarray(1j * gap / (energy + root))

    if not size.any():
        energy = np.broadcast_to(w, np.broadcast_shapes(np.shape(w), gap.shape, size.shape))
        return np.asarray(scalar(energy)[..., None] * np.eye(2).ravel())
    up, down = scalar(w - 1j * size), scalar(w + 1j * size)
    spin = np.einsum("a...,aij->...ij", direction, SIGMA)
    a = 0.5 * (up + down)[..., None, None] * np.eye(2) + 0.5 * (up - down)[..., None, None] * spin
    return np.asarray(a.reshape(*a.shape[:-2], 4))


def to_matrix(state: Complex) -> Complex:
    """A state (..., 4) as matrices, shape (2, 2, ...)."""
    return np.moveaxis(state.reshape(*state.shape[:-1], 2, 2), (-2, -1), (0, 1))


def tilde(a: Complex) -> Complex:
    """b = sigma_y a* sigma_y, the partner of a at the same Matsubara frequency, shape (2, 2, ...)."""
    return dot(SIGMA[1], a.conj(), SIGMA[1])


def tilde_entries(state: Complex) -> Complex:
    """`tilde` of matrices given by their entries, shape (..., 4)."""
    swapped: Complex = state[..., ::-1].conj() * np.array([1, -1, -1, 1])
    return swapped


def inverse(m: Complex) -> Complex:
    """Inverse of 2x2 matrices, shape (2, 2, ...)."""
    determinant = m[0, 0] * m[1, 1] - m[0, 1] * m[1, 0]
    return np.asarray(np.array([[m[1, 1], -m[0, 1]], [-m[1, 0], m[0, 0]]]) / determinant)


def identity_like(a: Complex) -> Complex:
    """The unit matrix, broadcastable against a."""
    return np.eye(2, dtype=complex).reshape(2, 2, *(1,) * (a.ndim - 2))


def green(a: Complex, b: Complex, *, linearized: bool = False) -> Complex:
    """The matrix g = [[2 N - 1, 2 N a], [2 Nt b, 1 - 2 Nt]], shape (4, 4, ...).

    In the linearised problem N = 1 - a b in the diagonal and 1 in the off-diagonal blocks, so that g^2 = 1 to second
    order.
    """
    one = np.broadcast_to(identity_like(a), a.shape)
    ab, ba = dot(a, b), dot(b, a)
    if linearized:
        return blocks(one - 2 * ab, 2 * a, 2 * b, 2 * ba - one)
    n, nt = inverse(one + ab), inverse(one + ba)
    return blocks(2 * n - one, 2 * dot(n, a), 2 * dot(nt, b), one - 2 * nt)


def green_derivative(a: Complex, b: Complex, da: Complex, db: Complex, *, linearized: bool = False) -> Complex:
    """The change of `green` with a and b, shape (4, 4, ...)."""
    if linearized:
        upper, lower = dot(da, b) + dot(a, db), dot(db, a) + dot(b, da)
        return 2.0 * blocks(-upper, da, db, lower)
    one = identity_like(a)
    n, nt = inverse(one + dot(a, b)), inverse(one + dot(b, a))
    alpha, beta = dot(n, a), dot(b, n)
    # d_a g = 2 (N, beta)^T da (-beta, Nt), d_b g = 2 (-alpha, Nt)^T db (N, alpha)
    da_left, da_right, db_left, db_right = dot(da, beta), dot(da, nt), dot(db, n), dot(db, alpha)
    return 2.0 * blocks(
        -dot(n, da_left) - dot(alpha, db_left), dot(n, da_right) - dot(alpha, db_right),
        dot(nt, db_left) - dot(beta, da_left), dot(beta, da_right) + dot(nt, db_right),
    )  # fmt: skip


def pauli_components(m: Complex) -> Complex:
    """1/2 tr sigma_mu m of matrices (2, 2, ...), sigma_0 = 1; shape (4, ...)."""
    parts = [m[0, 0] + m[1, 1], m[0, 1] + m[1, 0], 1j * (m[0, 1] - m[1, 0]), m[0, 0] - m[1, 1]]
    return np.asarray(0.5 * np.array(parts), complex)


def spectral_minimum(a: Complex, b: Complex) -> float:
    """Smallest eigenvalue of the Hermitian parts of G and -Gt over all positions, of entries of shape (..., 4).

    They are the spectral functions of electrons and holes at a retarded energy, positive for a causal solution.
    """
    ab, ba = _entry_product(a, b), _entry_product(b, a)
    return float(min(_lowest_eigenvalue(_inverse_of_one_plus(m)).min(initial=np.inf) for m in (ab, ba)))


def _entry_product(x: Complex, y: Complex) -> Complex:
    product: Complex = (x.reshape(*x.shape[:-1], 2, 2) @ y.reshape(*y.shape[:-1], 2, 2)).reshape(x.shape)
    return product


def _inverse_of_one_plus(m: Complex) -> Complex:
    """(1 + m)^-1 by entries, shape (..., 4)."""
    diagonal, upper, lower, last = 1 + m[..., 0], m[..., 1], m[..., 2], 1 + m[..., 3]
    determinant = diagonal * last - upper * lower
    return np.asarray(np.stack([last, -upper, -lower, diagonal], axis=-1) / determinant[..., None])


def _lowest_eigenvalue(n: Complex) -> NDArray[np.float64]:
    """Smallest eigenvalue of the Hermitian part of 2n - 1, shape (..., 4) -> (...)."""
    first, last, off = 2 * n[..., 0].real - 1, 2 * n[..., 3].real - 1, n[..., 1] + n[..., 2].conj()
    return np.asarray(0.5 * (first + last) - np.sqrt(0.25 * (first - last) ** 2 + abs(off) ** 2))


def amplitudes(state: Complex) -> NDArray[np.float64]:
    """Largest singular value of a at every position, shape (...); at most 1 for a causal Green's function."""
    frobenius = (state.real**2 + state.imag**2).sum(axis=-1)
    determinant = abs(state[..., 0] * state[..., 3] - state[..., 1] * state[..., 2])
    # the squares of the two singular values have this sum, and the determinant's square as product
    largest = 0.5 * (frobenius + np.sqrt(np.maximum(frobenius**2 - 4 * determinant**2, 0.0)))
    return np.asarray(np.sqrt(largest))


def largest_amplitude(state: Complex) -> float:
    """Largest singular value of a over all positions; at most 1 for a causal Green's function."""
    return float(amplitudes(state).max(initial=0.0))
