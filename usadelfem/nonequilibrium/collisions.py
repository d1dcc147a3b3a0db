"""Inelastic scattering in a relaxation time: the local equilibria that the distribution relaxes to.

The collision term 2 Gamma_in tau3 (h_loc - h) with h_loc = tanh((E - mu tau3 - s.sigma)/2T) has no charge, no spin and,
with T that of the electrons, no energy, integrated over energy at every quadrature point: that determines mu, s and T
there (theory, section on the kinetic equation). They are found by an accelerated iteration in which every turn solves
the kinetic equation once with its kept factors.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..errors import SolveError
from ..fem.currents import at_quadrature
from ..fem.problem import Problem
from ..frozen import FrozenRecord
from ..numerics.anderson import Anderson
from ..physics.columns import INELASTIC, N0
from ..points.panels import Panels
from .bias import local_equilibrium, plain_weights
from .local import electrons_and_holes, normal_blocks, spin_product
from .responses import Responses, mode_vectors

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

CONVERGED = 1e-10  # of the local potentials, in units of the largest voltage or temperature
MOST = 300
STEP = 1e-6  # of difference quotients, in the same unit
COLDEST = 1e-2  # temperature of electrons, in bath temperatures, below which no iterate goes
Sources = Callable[[Real], Real]  # loads (energies, nodes, m) to the distributions that they make


@dataclass(eq=False)
class Collisions:
    """Local equilibria of a device at the energies of a solve.

    Attributes
    ----------
    problem
        The discretised device.
    hot
        Cells whose temperature is that of the electrons.
    temperature, unit
        Temperature of the bath, and the largest energy of the biases.
    energies, weights
        Of a plain quadrature over E > 0.
    local
        mu, T and s at the points of the cells with inelastic scattering, shape (5, cells, points).
    """

    problem: Problem
    hot: NDArray[np.bool_]
    temperature: float
    unit: float
    energies: Real
    weights: Real
    local: Real = field(default_factory=lambda: np.empty(0))

    def __post_init__(self) -> None:
        rate = self.problem.coefficients.table[..., INELASTIC]
        self.cells = np.flatnonzero((rate > 0).any(axis=1))
        self.rate = rate[self.cells]
        self.spins = {1: [], 2: [2], 4: [2, 3, 4]}[self.problem.sector.entries]
        if not len(self.local):
            self.local = np.zeros((5, *self.rate.shape))
            self.local[1] = self.temperature
        self.vectors = mode_vectors(self.problem)

    def find(self, states: Complex, driven: Real, answer: Sources) -> tuple[Real, Real]:
        """The distributions (energies, nodes, m) that the collisions add, and `Scattered.given`.

        `driven` are those without, and `answer` solves the kinetic equation with loads.

        Raises
        ------
        SolveError
            If the local equilibria are not found.
        """
        blocks = [normal_blocks(self.problem, at_quadrature(self.problem.space, state)) for state in states]
        blocks = [(upper[:, self.cells], lower[:, self.cells]) for upper, lower in blocks]
        free = self._unknowns()
        mixer = Anderson(np.full(int(free.sum()), 1.0 / max(int(free.sum()), 1)))
        for _ in range(MOST):
            added = answer(self._loads(blocks))
            change = self._newton(blocks, driven + added) - self.local
            if abs(change).max() <= CONVERGED * self.unit:
                return added, self._given(blocks)
            moved = self.local.copy()
            moved[free] = mixer.propose(self.local[free], change[free])
            moved[1] = np.maximum(moved[1], COLDEST * self.temperature)
            self.local = moved
        raise SolveError(
            f"the local equilibria of inelastic scattering were not found in {MOST} turns; the last change was "
            f"{abs(change).max() / self.unit:.1e} of the largest energy. Try: a smaller rate, or more energies",
            frequency=0.0, residuals=(float(abs(change).max() / self.unit),), state=self.local,
        )  # fmt: skip

    def _unknowns(self) -> NDArray[np.bool_]:
        free = np.zeros(self.local.shape, bool)
        free[0] = True
        free[1] = self.hot[self.cells][:, None]
        free[self.spins] = True
        return free

    def _equilibrium(self, energy: float, local: Real) -> Real:
        """h_loc - tanh(E/2T_bath) of local quantities (5, ...) in all 8 modes."""
        return local_equilibrium(energy, local[0], local[1], self._spin(local), self.temperature)

    def _spin(self, local: Real) -> Real:
        """Spin vectors (3, ...); in the collinear sector the component along its axis is kept."""
        if len(self.spins) == 1:
            axis = self.problem.sector.axis
            return np.asarray(axis[:, None, None] * local[2])
        return np.asarray(local[2:])

    def _taken(self, blocks: tuple[Complex, Complex], h: Real) -> Real:
        """What scattering takes out of h (8, ...) by modes, per density of states: 4 Gamma Re Tr N_i R tau3 h."""
        first, second = electrons_and_holes(h)
        (one, up), (two, down) = spin_product(blocks[0], first), spin_product(blocks[1], second)
        parts = [(one - two)[None], (one + two)[None], up - down, up + down]
        return np.asarray(4 * self.rate * np.concatenate(parts))

    def _loads(self, blocks: list[tuple[Complex, Complex]]) -> Real:
        """The loads of the local equilibria at the nodes, in the modes of the sector."""
        space = self.problem.space
        nodes, dx = space.cells[self.cells], space.dx[self.cells]
        n0 = self.problem.coefficients.table[self.cells][..., N0]
        out = np.zeros((len(self.energies), space.nodes.shape[1], self.vectors.shape[1]))
        for load, energy, own in zip(out, self.energies.tolist(), blocks, strict=True):
            given = self._taken(own, self._equilibrium(energy, self.local))
            values = np.einsum("xcq,xm,cq,qi->cim", given, self.vectors, n0 * dx, space.phi, optimize=True)
            np.add.at(load, nodes, values)
        return out

    def _given(self, blocks: list[tuple[Complex, Complex]]) -> Real:
        """As `Scattered.given`."""
        out = np.zeros((2, 8, *self.problem.space.dx.shape))
        for weight, energy, own in zip(self.weights.tolist(), self.energies.tolist(), blocks, strict=True):
            given = weight * self._taken(own, self._equilibrium(energy, self.local))
            out[0][:, self.cells] += given
            out[1][:, self.cells] += energy * given
        return out

    def _newton(self, blocks: list[tuple[Complex, Complex]], h: Real) -> Real:
        """A step towards the local quantities with the charge, spin and energy of a distribution."""
        space = self.problem.space
        there = [
            np.moveaxis(at_quadrature(space, own @ self.vectors.T)[self.cells], -1, 0) for own in h
        ]  # fmt: skip
        held = self._moments([self._taken(own, at) for own, at in zip(blocks, there, strict=True)])

        def of(local: Real) -> Real:
            each = [
                self._taken(own, self._equilibrium(energy, local))
                for own, energy in zip(blocks, self.energies.tolist(), strict=True)
            ]
            return self._moments(each)

        rows = [0, 1, *self.spins]
        here, step = of(self.local), STEP * self.unit
        jacobian = np.zeros((*self.rate.shape, len(rows), len(rows)))
        for column, row in enumerate(rows):
            moved = self.local.copy()
            moved[row] += step
            jacobian[..., column] = np.moveaxis((of(moved) - here) / step, 0, -1)[..., rows]
        cold = ~self.hot[self.cells]
        jacobian[cold, :, 1, :] = jacobian[cold, :, :, 1] = 0.0
        jacobian[cold, :, 1, 1] = 1.0
        wanted = np.moveaxis((held - here)[rows], 0, -1)
        wanted[cold, :, 1] = 0.0
        found = self.local.copy()
        found[rows] += np.moveaxis(np.linalg.solve(jacobian, wanted[..., None])[..., 0], -1, 0)
        return found

    def _moments(self, taken: list[Real]) -> Real:
        """Charge, energy and spins that are taken, integrated over E > 0; (5, cells, points)."""
        out = np.zeros((5, *self.rate.shape))
        for weight, energy, own in zip(self.weights.tolist(), self.energies.tolist(), taken, strict=True):
            out[0] += weight * own[1]
            out[1] += weight * energy * own[0]
            spin = own[2:5]
            out[2:] += weight * (
                np.tensordot(self.problem.sector.axis, spin, axes=1)[None] if len(self.spins) == 1 else spin
            )
        return out


@dataclass(frozen=True, eq=False)
class Scattered(FrozenRecord):
    """What inelastic scattering adds to the responses to the reservoirs.

    Attributes
    ----------
    fields
        Distributions (energies, nodes, m).
    currents
        Currents of modes out of terminals, (energies, terminals, m).
    weights
        Of a plain quadrature over E > 0.
    local
        mu relative to the condensate, T and s of the local equilibria, shape (5, cells, points) of the cells with
        inelastic scattering.
    given
        What the local equilibria give to the 8 modes, integrated over E > 0 without and with a factor E, per density of
        states; shape (2, 8, all cells, points).
    """

    fields: Real
    currents: Real
    weights: Real
    local: Real
    given: Real

    @property
    def charge(self) -> Real:
        """The charge currents into the terminals."""
        charge = self.currents.shape[2] // 2
        return np.asarray(self.weights @ self.currents[:, :, charge])


def scatter(
    responses: Responses, energies: Real, states: Complex, panels: Panels, driven: Real, temperature: float,
    unit: float, start: Scattered | None,
) -> Scattered:  # fmt: skip
    """Let a distribution `driven` (energies, nodes, m) by the reservoirs scatter; the responses keep their factors at
    all energies, in slots of the same order.
    """
    weights = plain_weights(panels)
    collisions = Collisions(responses.problem, hot_cells(responses.problem), temperature, unit, energies, weights)
    if start is not None and start.local.shape == collisions.local.shape:
        collisions.local = start.local
    currents = np.zeros((len(energies), len(responses.terminals), driven.shape[2]))

    def answer(loads: Real) -> Real:
        fields = np.empty_like(loads)
        for slot, load in enumerate(loads):
            fields[slot], currents[slot] = responses.answer(slot, load)
        return fields

    fields, given = collisions.find(states, driven, answer)
    return Scattered(fields, currents.copy(), weights, collisions.local, given)


def hot_cells(problem: Problem) -> NDArray[np.bool_]:
    """Cells whose electrons have a temperature of their own."""
    device = problem.device
    hot = np.zeros(problem.space.mesh.nelements, bool)
    for region, material in device.conductors.items():
        if material.inelastic is not None and material.inelastic.towards == "electrons":
            hot[problem.space.mesh.subdomains[region]] = True
    return hot


def scatters(problem: Problem) -> bool:
    """Whether there is inelastic scattering in a device."""
    return bool((problem.coefficients.table[..., INELASTIC] > 0).any())
