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

    def diamagnetic(self, equation: Matsubara | Retarded, state: Complex, weight: complex) -> Real:
        """dj/dA at a fixed state, weighted; shape (dim, dim, cells, points). j is linear in A then."""
        problem, dim = equation.problem, equation.problem.space.dim
        present, columns = self.response(equation, state, weight)[:dim], []
        for k in range(dim):
            table = problem.coefficients.table.copy()
            table[..., column.COEFFICIENTS + GAUGE_COLUMNS * k] += 1.0
            moved = type(equation)(problem.with_columns(table))
            columns.append(self.response(moved, state, weight)[:dim] - present)
        return np.stack(columns, axis=1)

    def step(self, dofs: Real, response: Real) -> Real:
        """The unknowns that Ampere's law asks for, to first order; response summed over frequencies."""
        return self.maxwell.step(dofs, response[:-1], response[-1], self.mu0)


@dataclass(frozen=True, eq=False, repr=False)
class PotentialCoupling(FrozenRecord):
    """How a vector potential and a state couple at one state, as a table.

    Attributes
    ----------
    equation
        The equation of the state.
    table
        Changes of df/dA along every axis with real and imaginary parts of the coordinates of the state, and with their
        derivatives along every axis, shape (1 + dim, dim, cells * points, 2n): second derivatives of the functional,
        the same for both ways.
    """

    equation: Matsubara
    table: Real

    def source(self, potential: Real) -> Complex:
        """Change of the residual (nodes, n) with the potential (dim, cells, points), over all nodes."""
        problem = self.equation.problem
        weight = problem.space.dx * problem.coefficients.table[..., column.N0]
        loads = np.einsum("kp,lkpr->lpr", (weight * potential).reshape(len(potential), -1), self.table)
        parts = zip(problem.space.differential, loads, strict=True)
        source = sum(matrix.T @ load for matrix, load in parts)
        return np.ascontiguousarray(source).view(complex)

    def response(self, change: Complex, weight: complex = 1.0) -> Real:
        """Weight times the change of j with a change of the state (nodes, n); shape (dim, cells, points)."""
        problem = self.equation.problem
        values = np.array([matrix @ change.view(float) for matrix in problem.space.differential])
        moved = np.einsum("lkpr,lpr->kp", self.table, values).reshape(-1, *problem.space.dx.shape)
        return np.asarray(-np.real(weight) * problem.coefficients.table[..., column.N0] * moved)


def potential_coupling(equation: Matsubara, state: Complex) -> PotentialCoupling:
    """The coupling at a state.

    Changes of the current with states that are linear in position tell values and slopes apart.
    """
    space, n = equation.problem.space, equation.problem.sector.entries
    places = gauge_columns(space.dim, (0,))
    middle = space.nodes.mean(axis=1, keepdims=True)
    along, at = space.nodes - middle, space.points() - middle[..., None]
    table = np.empty((1 + space.dim, space.dim, space.dx.size, 2 * n))
    for entry in range(2 * n):
        unit = np.zeros((len(along[0]), n), complex)
        unit[:, entry // 2] = 1j if entry % 2 else 1.0
        own = equation.changes(places, 1.0, [state], [unit])
        table[0, ..., entry] = own.reshape(space.dim, -1)
        for k in range(space.dim):
            sloped = equation.changes(places, 1.0, [state], [along[k][:, None] * unit])
            table[1 + k, ..., entry] = (sloped - at[k] * own).reshape(space.dim, -1)
    return PotentialCoupling(equation, table)


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
