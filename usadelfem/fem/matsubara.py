"""The Usadel equation at one Matsubara frequency as a nonlinear system over the nodes of a device."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..compilation.jit import readonly
from ..frozen import FrozenRecord
from ..physics.riccati import tilde_entries
from ..space.space import Index, Real
from .assembly import Complex, add_junctions, assemble
from .conjugates import gap_source, static_conjugates_of, sum_changes, sum_conjugates
from .interfaces import junction_energy
from .problem import Problem


@dataclass(frozen=True, eq=False, repr=False)
class Matsubara(FrozenRecord):
    """Residual and tangent of the functional, with the nodes of the electrodes clamped; conjugates of its columns.

    A state holds all entries of a at every node, shape (nodes, 4), whatever the sector; the unknowns are the real and
    imaginary parts of its n coordinates in the sector.
    """

    problem: Problem

    def zero(self) -> Complex:
        """The normal metal everywhere, shape (nodes, 4)."""
        return np.zeros((self.problem.space.nodes.shape[1], 4), complex)

    def clamp(self, w: float, state: Complex) -> Complex:
        """A copy of the state with the nodes of the electrodes set to the values of their reservoirs at w.

        It lies in the sector: steps never take out what rounding adds outside of it, and predictions let that grow.
        """
        sector = self.problem.sector
        clamped = state.copy() if sector.name == "full" else sector.expand(sector.reduce(state))
        for own in self.problem.electrodes.values():
            clamped[own.nodes] = own.amplitude(w, linearized=self.problem.linearized)
        return clamped

    def residual(self, w: float, state: Complex) -> tuple[Real, float]:
        """Residual over the free unknowns, and the size of the terms it is to be compared with."""
        own = self.problem
        reduced = own.sector.reduce(state)
        residual, scale, _ = assemble(own.space, own.aligned[0], w, reduced, timings=own.timings)
        add_junctions(own.aligned[1], reduced, residual, scale)
        return self.free(residual), float(scale.max(initial=0.0))

    def linearize(self, w: float, state: Complex) -> tuple[Real, float, Real]:
        """Residual, its size, and the values of the upper-triangular CSR tangent."""
        pattern, reduced = self.problem.pattern, self.problem.sector.reduce(state)
        residual, scale, values = assemble(
            self.problem.space, self.problem.aligned[0], w, reduced, pattern=pattern, timings=self.problem.timings
        )
        add_junctions(self.problem.aligned[1], reduced, residual, scale, pattern=pattern, values=values)
        return self.free(residual), float(scale.max(initial=0.0)), values

    def phase_force(self, w: float, state: Complex, cells: Index, nodes: Any) -> Real:
        """dF/dtheta if the phase of the states of some nodes (sets, nodes) grows by theta; shape (sets,).

        Of the terms of some cells and of all interfaces.
        """
        reduced = self.problem.sector.reduce(state)
        residual, scale, _ = assemble(
            self.problem.space, self.problem.aligned[0], w, reduced, chosen=cells, timings=self.problem.timings
        )  # fmt: skip
        add_junctions(self.problem.aligned[1], reduced, residual, scale)
        return np.asarray(nodes @ (reduced.conj() * residual).imag.sum(axis=1))

    def conjugates(
        self, places: Sequence[int], weights: ArrayLike, states: Sequence[Complex] | Complex, *,
        frequencies: ArrayLike = 0.0, chosen: Index | None = None,
    ) -> Real:  # fmt: skip
        """The sum of weights times df/dc over states (nodes, 4), shape (places, cells, points); per density of states.

        Spin vectors are those in the frame of the sector (`Sector.vectors`). The frequencies matter to f itself, the
        conjugate of N0, only.
        """
        w, weight = np.broadcast_arrays(*np.atleast_1d(frequencies, weights))
        each = zip(w, weight, map(self.problem.sector.reduce, states), strict=True)
        own = self.problem
        return sum_conjugates(own.sector.like, own.space, own.tables, places, each, chosen).real

    def interface_energy(self, weights: ArrayLike, states: Sequence[Complex] | Complex) -> float:
        """The sum of weights times the interface terms over states (nodes, 4), measured from the normal state."""
        junctions, total = self.problem.aligned[1], 0.0
        if not len(junctions.facets):
            return total
        parts = junctions.nodes, junctions.phi, junctions.dx, junctions.table, junctions.kinds, junctions.channels
        tables, sector = readonly(*parts), self.problem.sector
        for weight, state in zip(np.atleast_1d(weights).tolist(), states, strict=True):
            (given,) = readonly(sector.reduce(state))
            total += weight * float(junction_energy(sector.like, given, *tables))
        return total

    def pointwise(self, places: Sequence[int], values: Complex) -> Complex:
        """Conjugates that need no gradients, of matrices a (..., 4); shape (places, ...)."""
        sector = self.problem.sector
        a, b = sector.reduce(values), sector.reduce(tilde_entries(values))
        return static_conjugates_of(sector.like, a, b, places, linear=self.problem.linearized)

    def changes(
        self, places: Sequence[int], weights: ArrayLike, states: Sequence[Complex] | Complex,
        changes: Sequence[Complex], *, chosen: Index | None = None,
    ) -> Real:  # fmt: skip
        """The same of the changes of df/dc with changes (nodes, n) of the states, in coordinates of the sector."""
        weight = np.atleast_1d(weights)
        each = zip(np.zeros(len(weight)), weight, map(self.problem.sector.reduce, states), changes, strict=True)
        return sum_changes(self.problem.sector.like, self.problem.space, self.problem.tables, places, each, chosen).real

    def moved(self, state: Complex, step: Real) -> Complex:
        """The state after a step of the free unknowns."""
        moved = state.copy()
        moved[self.problem.pattern.free] += self.problem.sector.expand(self._coordinates(step))
        return moved

    def unknowns(self, state: Complex) -> Real:
        """The free unknowns of a state, in the order of a step."""
        return self.free(self.problem.sector.reduce(state))

    def gap_source(self, state: Complex, gap: Complex, chosen: Index) -> Complex:
        """Change of the residual (nodes, n) with the gap (cells, points) at the points of some cells."""
        own = self.problem
        return gap_source(own.sector.like, own.space, own.tables, own.sector.reduce(state), gap, chosen)

    def reduced_change(self, step: Real) -> Complex:
        """The change of the state with a step of the free unknowns, in the coordinates (nodes, n) of the sector."""
        change = np.zeros((self.problem.space.nodes.shape[1], self.problem.sector.entries), complex)
        change[self.problem.pattern.free] = self._coordinates(step)
        return change

    def free(self, residual: Complex) -> Real:
        """A residual by coordinates (nodes, n), over the free unknowns."""
        return np.asarray(residual[self.problem.pattern.free].reshape(-1).view(float))

    def _coordinates(self, step: Real) -> Complex:
        return step.view(complex).reshape(-1, self.problem.sector.entries)
