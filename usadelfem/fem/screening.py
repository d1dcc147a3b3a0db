"""Screening: the induced vector potential as an unknown beside the gap, and the currents that make it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..device.device import Device
from ..frozen import FrozenRecord
from ..magnetics.ampere import Maxwell
from ..magnetics.maxwell import Surrounding, build_maxwell
from ..physics import columns as column
from ..physics.columns import GAUGE_COLUMNS
from ..space.space import Real
from .conjugates import gauge_columns
from .matsubara import Matsubara
from .problem import Problem
from .retarded import Retarded

Complex = NDArray[np.complex128]


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

    def with_potential(self, problem: Problem, dofs: Real) -> Problem:
        """The problem in the applied and an induced potential."""
        table = problem.coefficients.table.copy()
        total = self.applied + self.maxwell.at_points(dofs)
        for k in range(problem.space.dim):
            table[..., column.COEFFICIENTS + GAUGE_COLUMNS * k] = total[k]
        return problem.with_columns(table)

    def response(self, equation: Matsubara | Retarded, state: Complex, weight: complex) -> Real:
        """Charge current and its local response -dj/dA at fixed g, weighted; shape (dim + 1, cells, points).

        j = -df/dA, and -dj/dA = 2 D tr F Ft is 4 D times the conjugate of depairing, which a vector potential is.
        """
        table, potentials = equation.problem.coefficients.table, gauge_columns(equation.problem.space.dim, (0,))
        out = equation.conjugates((*potentials, column.DEPAIRING), weight, [state]).real * table[..., column.N0]
        out[:-1] *= -1.0
        out[-1] *= 4.0 * table[..., column.D]
        return out

    def step(self, dofs: Real, response: Real) -> Real:
        """The unknowns that Ampere's law asks for, to first order; response summed over frequencies."""
        return self.maxwell.step(dofs, response[:-1], response[-1], self.mu0)


def build_induced(device: Device, problem: Problem, mu0: float) -> Induced:
    """The induced potential of a device.

    Raises
    ------
    DeviceError
        As `build_maxwell`.
    """
    space = problem.space
    surrounding = None
    if device.sample is not device.mesh:
        surrounding = Surrounding(device.mesh, device.sample_cells)
    maxwell = build_maxwell(space, surrounding, contact_facets=device.contact_facets)
    applied = np.moveaxis(problem.coefficients.gauge[..., 0], -1, 0)
    return Induced(maxwell, np.array(applied), mu0)
