"""The spin sector of a device: which entries of the Riccati matrices are unknowns (theory, section on symmetries).

Where all fields, spin-orbit axes and magnetisations of a device are parallel to one axis, spin along it is conserved:
in a basis with that axis along z, a and b are diagonal. Where nothing depends on spin they are multiples of the unit
matrix. The equation closes on such matrices, and the functional restricted to them is stationary where the whole is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..frozen import FrozenRecord
from ..physics import interface as barrier
from ..physics.nambu import SIGMA, Spin
from ..space.space import Real
from .cells import SPIN_CHARGE
from .coefficients import Coefficients
from .electrodes import Electrodes
from .interfaces import Junctions

Complex = NDArray[np.complex128]

SECTORS = ("auto", "full")
# Vectors count as parallel when what is perpendicular is below this part of the longest: rounding in callables.
PARALLEL = 1e-13


@dataclass(frozen=True, eq=False)
class Sector(FrozenRecord):
    """A subspace of spin matrices that the equation closes on.

    Attributes
    ----------
    name
        "full" (any matrix), "collinear" (diagonal along `axis`) or "spinless" (multiples of the unit matrix).
    axis
        The conserved spin axis, shape (3,); z where there is no choice.
    basis
        Its n matrices by entries 00, 01, 10, 11, orthogonal, shape (n, 4).
    """

    name: str
    axis: Real
    basis: Complex

    @property
    def entries(self) -> int:
        """Number n of complex numbers that a matrix of the sector has."""
        return len(self.basis)

    @property
    def like(self) -> Spin:
        """A matrix of the sector as the kernels want it, to choose the formulas by."""
        return (0j,) * self.entries

    def reduce(self, matrices: Complex) -> Complex:
        """Coordinates (..., n) of matrices (..., 4)."""
        if self.name == "full":
            return matrices
        return np.asarray(matrices @ self._projection)

    @cached_property
    def _projection(self) -> Complex:
        return np.asarray(self.basis.conj().T / (abs(self.basis) ** 2).sum(axis=1))

    def expand(self, coordinates: Complex) -> Complex:
        """Matrices (..., 4) of coordinates (..., n)."""
        return coordinates if self.name == "full" else np.asarray(coordinates @ self.basis)

    def vectors(self, aligned: NDArray[Any]) -> NDArray[Any]:
        """Spin vectors (3, ...) of densities, from those in the frame of the sector, whose axis is z."""
        if self.name == "full":
            return aligned
        return np.asarray(self.axis.reshape(3, *(1,) * (aligned.ndim - 1)) * aligned[2])

    def coefficients(self, own: Coefficients) -> Coefficients:
        """Coefficients with spin vectors along z, for the kernels."""
        if self.name == "full" or np.array_equal(self.axis, (0, 0, 1)):
            return own
        table = own.table.copy()
        for first in _vector_columns(own):
            vector = table[..., first : first + 3]
            along = vector @ self.axis
            vector[:] = 0.0
            vector[..., 2] = along
        for first in _diagonal_columns(own):
            tensor = table[..., first : first + 3]
            along = tensor @ self.axis**2
            tensor[:] = 0.5 * (tensor.sum(axis=-1) - along)[..., None]
            tensor[..., 2] = along
        return replace(own, table=table)

    def junctions(self, own: Junctions) -> Junctions:
        """Interface terms with magnetisations along z."""
        if self.name == "full" or np.array_equal(self.axis, (0, 0, 1)):
            return own
        table = own.table.copy()
        along = table[..., barrier.MX : barrier.MZ + 1] @ self.axis
        table[..., barrier.MX : barrier.MZ + 1] = 0.0
        table[..., barrier.MZ] = along
        return replace(own, table=table)


def _vector_columns(own: Coefficients) -> list[int]:
    """First column of every spin vector: exchange field, SU(2) fields, channels of spin-charge coupling."""
    return [number for number, row in enumerate(own.rows) if row.spin == ("vector", 0)]


def _diagonal_columns(own: Coefficients) -> list[int]:
    """First column of every diagonal spin tensor: rates of anisotropic scattering."""
    return [number for number, row in enumerate(own.rows) if row.spin == ("diagonal", 0)]


def full_sector() -> Sector:
    """All spin matrices."""
    return Sector("full", np.array([0.0, 0.0, 1.0]), np.eye(4, dtype=complex))


def find_sector(own: Coefficients, junctions: Junctions, electrodes: Electrodes, spins: Real) -> Sector:
    """The smallest sector that holds the solution for these coefficients, and spin biases, shape (reservoirs, 3)."""
    vectors = [own.table[..., first : first + 3].reshape(-1, 3) for first in _vector_columns(own)]
    vectors[1 + own.gauge.shape[2] :] = [_active_channels(own)]
    magnetic = abs(junctions.table[..., [barrier.MIXING, barrier.MIX_ONE, barrier.MIX_TWO]]).max(axis=-1) > 0
    vectors.append(junctions.table[..., barrier.MX : barrier.MZ + 1][magnetic])
    vectors += [electrode.exchange.T for electrode in electrodes.values()] + [spins]
    longest = np.zeros(3)
    for part in vectors:
        if len(part):
            candidate = part[np.argmax((part**2).sum(axis=1))]
            longest = max(longest, candidate, key=np.linalg.norm)
    size = float(np.linalg.norm(longest))
    if not size:
        return Sector("spinless", np.array([0.0, 0.0, 1.0]), np.array([[1, 0, 0, 1]], complex))
    axis = longest / size
    # Rounding in a vector is relative to its own kind: a weak SU(2) field does not hide behind a strong exchange field.
    for part in vectors:
        across = part - (part @ axis)[:, None] * axis
        if abs(across).max(initial=0.0) > PARALLEL * abs(part).max(initial=0.0):
            return full_sector()
    if _tensors_turn(own, axis):
        return full_sector()
    return _collinear(_upwards(axis))


def _tensors_turn(own: Coefficients, axis: Real) -> bool:
    """Whether a diagonal spin tensor turns the axis somewhere: it does not share it with the tensor."""
    for first in _diagonal_columns(own):
        tensor = own.table[..., first : first + 3]
        across = tensor * axis - (tensor @ axis**2)[..., None] * axis
        if abs(across).max() > PARALLEL * abs(tensor).max():
            return True
    return False


def _active_channels(own: Coefficients) -> Real:
    """Spin vectors of the channels where they couple, shape (..., 3)."""
    channels = own.channels[own.kinds & SPIN_CHARGE > 0]
    return np.asarray(channels[(channels[..., 3:] != 0).any(axis=-1)][:, :3])


def _upwards(axis: Real) -> Real:
    """The axis or its opposite, the one whose first large component is positive, exactly along a coordinate if near."""
    axis = axis * np.sign(axis[np.argmax(abs(axis))])
    nearest = np.zeros(3)
    nearest[np.argmax(axis)] = 1.0
    return nearest if abs(axis - nearest).max() < PARALLEL else axis


def _collinear(axis: Real) -> Sector:
    """Diagonal matrices in the basis of the spin axis: the projectors on spin up and down along it."""
    along = np.einsum("a,aij->ij", axis, SIGMA)
    projectors = np.array([0.5 * (np.eye(2) + along), 0.5 * (np.eye(2) - along)])
    return Sector("collinear", axis, projectors.reshape(2, 4))
