"""Screening: the induced vector potential as an unknown beside the gap, and the currents that make it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..device.device import Device
from ..frozen import FrozenRecord
from ..magnetics.maxwell import Maxwell, Surrounding, build_maxwell
from ..physics import columns as column
from ..physics.columns import GAUGE_COLUMNS
from ..physics.jit import kernel, readonly
from ..physics.nambu import Spin, tilde, trace_product
from ..physics.variations import frame
from ..space.space import Real
from .cells import interpolate
from .currents import sum_currents
from .matsubara import Spectral

Complex = NDArray[np.complex128]


@kernel
def add_stiffness(like: Spin, weight: float, state: Any, cells: Any, phi: Any, table: Any, out: Any) -> None:
    """Add weight 2 N0 D tr F Ft, the response -dj/dA at fixed g, to out (cells, points)."""
    for e in range(cells.shape[0]):
        for q in range(phi.shape[0]):
            a = interpolate(like, state, cells[e], phi[q])
            _, _, alpha, beta = frame(a, tilde(a))
            c = 8.0 * table[e, q, column.N0] * table[e, q, column.D]
            out[e, q] += weight * c * trace_product(alpha, beta).real


@dataclass(frozen=True, eq=False, repr=False)
class Induced(FrozenRecord):
    """The induced vector potential of a device.

    Attributes
    ----------
    maxwell
        Ampere's law on the mesh.
    applied
        Vector potential without screening at the quadrature points, shape (dim, cells, points).
    mu0
        The coupling: curl curl A = mu0 j.
    """

    maxwell: Maxwell
    applied: Real
    mu0: float

    def with_potential(self, system: Spectral, dofs: Real) -> Spectral:
        """The system in the applied and an induced potential."""
        table = system.coefficients.table.copy()
        total = self.applied + self.maxwell.at_points(dofs)
        for k in range(system.space.dim):
            table[..., column.COEFFICIENTS + GAUGE_COLUMNS * k] = total[k]
        return system.with_table(table)

    def response(self, system: Spectral, state: Complex, weight: float) -> Real:
        """Charge current and its local response of one frequency, weighted; shape (dim + 1, cells, points)."""
        space, sector, own = system.space, system.sector, system.aligned[0]
        moments = np.zeros((1 + space.dim, 4, *space.dx.shape))
        sum_currents(space, sector, own, weight, state, moments)
        stiffness = np.zeros(space.dx.shape)
        reduced, cells, phi, table = readonly(sector.reduce(state), space.cells, space.phi, own.table)
        add_stiffness(sector.like, 2 * weight, reduced, cells, phi, table, stiffness)
        return np.concatenate([2 * moments[1:, 0], stiffness[None]])

    def step(self, dofs: Real, response: Real) -> Real:
        """The unknowns that Ampere's law asks for, to first order; response summed over frequencies."""
        return self.maxwell.step(dofs, response[:-1], response[-1], self.mu0)


def build_induced(device: Device, system: Spectral, mu0: float) -> Induced:
    """The induced potential of a device.

    Raises
    ------
    DeviceError
        As `build_maxwell`.
    """
    space = system.space
    surrounding = None
    if device.sample is not device.mesh:
        surrounding = Surrounding(device.mesh, device.sample_cells)
    maxwell = build_maxwell(space, surrounding, contact_facets=device.contact_facets)
    applied = np.moveaxis(system.coefficients.gauge[..., 0], -1, 0)
    return Induced(maxwell, np.array(applied), mu0)
