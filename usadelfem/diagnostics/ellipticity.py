r"""Where free boundaries stay well-posed with spin-charge coupling.

Along a boundary with tangent t and normal n a disturbance p ~ exp(i k t - |k| n) of N d a carries the flux (theory,
section on spin-charge coupling; only gradients count)

    -|k| (p - M p),   M p = (i/2) [(theta - i kappa) P p + (theta + i kappa) p Q],

with P = N (V + a V b), Q = Nt (V + b V a) and V the spin matrix of the plane of t and n; -M for -k. Where an eigenvalue
of M reaches 1 or -1, disturbances of every wavelength cost nothing and the equation has no solution (Lopatinskii's
condition). In the normal state the eigenvalues are +-i theta and +-kappa.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..physics.riccati import tilde

Complex = NDArray[np.complex128]
Real = NDArray[np.float64]


def boundary_limit(a: Complex, vector: Real, theta: Real, kappa: Real) -> Real:
    """Largest real part of an eigenvalue of M; the boundary is well-posed below 1.

    Parameters
    ----------
    a
        Riccati matrices, shape (2, 2, points).
    vector, theta, kappa
        Spin vector V = v.sigma, shape (3, points), and the two numbers of a channel, shape (points,).
    """
    b = tilde(a)
    a, b = np.moveaxis(a, -1, 0), np.moveaxis(b, -1, 0)
    sigma: Any = np.array([[[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]], complex)
    v, one = np.einsum("sn,sij->nij", vector, sigma), np.eye(2)
    p = np.linalg.solve(one + a @ b, v + a @ v @ b)
    q = np.linalg.solve(one + b @ a, v + b @ v @ a)
    left = np.einsum("nij,kl->nikjl", p, one).reshape(-1, 4, 4)
    right = np.einsum("ij,nlk->nikjl", one, q).reshape(-1, 4, 4)
    matrix = 0.5j * ((theta - 1j * kappa)[:, None, None] * left + (theta + 1j * kappa)[:, None, None] * right)
    return np.asarray(abs(np.linalg.eigvals(matrix).real).max(axis=1))
