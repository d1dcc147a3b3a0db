"""Matrix current and torque of the generalised Usadel equation at a point, for matrices of any size.

Matrix axes come first and positions last; spin is the innermost index, so that sigma_a acts by blocks. At a Matsubara
frequency matrices are 4x4 (Nambu x spin), out of equilibrium 8x8 (Keldysh x Nambu x spin).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .nambu import SIGMA, Complex, dot

FORMS = ("consistent", "huang2018")


def spin_matrices(size: int) -> Complex:
    """sigma_x, sigma_y, sigma_z as matrices of a given even size, shape (3, size, size)."""
    return np.array([np.kron(np.eye(size // 2), sigma) for sigma in SIGMA])


def matrix_current(
    g: Complex, dg: Complex, diffusion: ArrayLike, theta: NDArray[Any], kappa: NDArray[Any], *, form: str = "consistent"
) -> Complex:  # fmt: skip
    """J_k = -D (g d_k g - (1/2) Theta_kj^a {d_j g, S_a} - (i/2) Kappa_kj^a [g d_j g, S_a]).

    Source: Huang, Tokatly, Bergeret, Phys. Rev. B 98, 144515 (2018), Eq. 2, with S_a = sigma_a; the consistent form has
    S_a = (sigma_a + g sigma_a g)/2 (Virtanen, Bergeret, Tokatly, Phys. Rev. B 104, 064515 (2021)).

    Parameters
    ----------
    g, dg
        The Green's function, shape (n, n, ...), and its covariant derivatives, shape (dim, n, n, ...).
    diffusion
        Diffusion coefficient D, shape () or (...).
    theta, kappa
        Tensors Theta_kj^a and Kappa_kj^a, antisymmetric in k and j, shape (dim, dim, 3) or (dim, dim, 3, ...).
    form
        "consistent" or "huang2018".

    Returns
    -------
    array, shape (dim, n, n, ...)

    Raises
    ------
    ValueError
        If there is no such form.
    """
    if form not in FORMS:
        raise ValueError(f"form is {form!r}; allowed are {' and '.join(map(repr, FORMS))}")
    g, dg = np.asarray(g, complex), np.asarray(dg, complex)  # tau3 of a normal metal may come as real numbers
    vertices = [_spread(sigma, g) for sigma in spin_matrices(len(g))]
    if form == "consistent":
        vertices = [0.5 * (sigma + dot(g, sigma, g)) for sigma in vertices]
    gdg = [dot(g, derivative) for derivative in dg]
    current = np.array(gdg)
    for k, j, a, amount in _entries(theta):
        current[k] -= 0.5 * amount * (dot(dg[j], vertices[a]) + dot(vertices[a], dg[j]))
    for k, j, a, amount in _entries(kappa):
        current[k] -= 0.5j * amount * (dot(gdg[j], vertices[a]) - dot(vertices[a], gdg[j]))
    return np.asarray(-np.asarray(diffusion) * current)


def torque(g: Complex, dg: Complex, diffusion: ArrayLike, theta: NDArray[Any], kappa: NDArray[Any]) -> Complex:
    """T = (D/4) (Theta_kj^a [sigma_a, g d_k g d_j g] + i Kappa_kj^a [d_k g d_j g, sigma_a]), shape (n, n, ...).

    Source: Huang, Tokatly, Bergeret, Phys. Rev. B 98, 144515 (2018), Eq. 3. Parameters as in `matrix_current`.
    """
    g, dg = np.asarray(g, complex), np.asarray(dg, complex)
    vertices = [_spread(sigma, g) for sigma in spin_matrices(len(g))]
    total = np.zeros_like(g)
    for k, j, a, amount in _entries(theta):
        product = dot(g, dg[k], dg[j])
        total += 0.25 * amount * (dot(vertices[a], product) - dot(product, vertices[a]))
    for k, j, a, amount in _entries(kappa):
        product = dot(dg[k], dg[j])
        total += 0.25j * amount * (dot(product, vertices[a]) - dot(vertices[a], product))
    return np.asarray(np.asarray(diffusion) * total)


def _spread(matrix: Complex, g: Complex) -> Complex:
    """A constant matrix with the position axes of g."""
    return np.broadcast_to(matrix.reshape(*matrix.shape, *(1,) * (g.ndim - 2)), g.shape)


def _entries(tensor: NDArray[Any]) -> Iterator[tuple[int, int, int, NDArray[Any]]]:
    """Indices and values of the entries that do not vanish everywhere."""
    for k, j, a in np.ndindex(*tensor.shape[:3]):
        if tensor[k, j, a].any():
            yield k, j, a, tensor[k, j, a]
