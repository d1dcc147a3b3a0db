"""How the value that a reservoir imposes changes with its gap, its exchange field and the frequency."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..fem.electrodes import Electrode
from ..physics.nambu import SIGMA
from ..physics.riccati import tilde_entries
from .direction import Pull

Complex = NDArray[np.complex128]

CLOSE = 1e-5  # relative difference of two energies below which a divided difference is a derivative


def bulk_change(w: complex, dw: complex, own: Electrode, pull: Pull, *, linearized: bool) -> Complex:
    """The change of `physics.riccati.bulk`, entries (nodes, 4), with frequency, gap and exchange field.

    a = i gap phi(W), phi = 1/(W + r), r = sqrt(W^2 + |gap|^2), W = w - i h.sigma: d phi/dW = -phi/r along h, and the
    divided difference of phi between the two spins for what of dh lies across h (Daletskii and Krein).
    """
    size = np.linalg.norm(own.exchange, axis=0)
    axis = own.exchange / np.where(size > 0, size, 1.0)
    along = (axis * pull.exchange).sum(axis=0)
    across = pull.exchange - axis * along
    energies = np.array([w - 1j * size, w + 1j * size])
    modulus = abs(own.gap)
    root = energies if linearized else np.sqrt(energies + 1j * modulus) * np.sqrt(energies - 1j * modulus)
    phi = 1 / (energies + root)
    slope = -phi / root
    square = 0.0 if linearized else 2 * (own.gap.conj() * pull.gap).real
    change = slope * np.array([dw - 1j * along, dw + 1j * along]) - 0.5 * phi**2 / root * square
    values = 1j * (pull.gap * phi + own.gap * change)
    split = energies[0] - energies[1]
    near = abs(split) <= CLOSE * abs(energies[0])
    divided = np.where(near, slope.mean(axis=0), (phi[0] - phi[1]) / np.where(near, 1.0, split))
    vector = 0.5 * (values[0] - values[1]) * axis + own.gap * divided * across
    a = 0.5 * (values[0] + values[1])[:, None, None] * np.eye(2) + np.einsum("an,aij->nij", vector, SIGMA)
    return np.asarray(a.reshape(-1, 4))


def partner_change(w: complex, dw: complex, own: Electrode, pull: Pull, *, linearized: bool) -> Complex:
    """The change of b, `Electrode.partner`."""
    return tilde_entries(bulk_change(np.conj(w), np.conj(dw), own, pull, linearized=linearized))
