"""The free energy as a functional: stationary in the states, its derivatives are the conjugates of the coefficients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..derivatives.products import cell_residual, inner, own_coordinates, side_residual
from ..derivatives.sources import Source
from ..derivatives.states import LinearStates
from ..fem.conjugates import conjugate_places
from ..fem.matsubara import Matsubara
from ..observe.free_energy import energy_density, logarithm_of
from ..physics import columns as column
from ..solve.results import Equilibrium
from .gradient import Gradient

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]


@dataclass(eq=False)
class FreeEnergy:
    """`free_energy` of a result, times a factor."""

    result: Equilibrium
    factor: float = 1.0

    @property
    def weights(self) -> Real:
        """pi T times the weights of the frequencies, with which F counts."""
        return np.asarray(self.factor * np.pi * self.result.temperature * self.result.weights)

    def gradient(self, own: LinearStates, index: int, w: Any, state: Complex) -> Complex:
        """The residual: zero but for what reservoirs hold."""
        reduced = own_coordinates(own.equation, state)
        both = np.ones((2, len(own.problem.interfaces.facets)), bool)
        whole = cell_residual(own.equation, w, reduced) + side_residual(own.equation, reduced, both)
        whole[own.problem.pattern.free] = 0.0
        return np.asarray(float(self.weights[index]) * whole)

    def explicit(self, own: LinearStates, out: Gradient) -> None:
        """Add the conjugates of all coefficients, and the derivatives with respect to temperature and interfaces."""
        problem, eq = own.problem, self.result
        table = problem.coefficients.table
        assert isinstance(own.equation, Matsubara)
        places = conjugate_places(problem.coefficients, problem.space.dim)
        chosen = [number for number in range(len(places)) if number != column.N0]
        of = own.equation.conjugates([places[n] for n in chosen], self.weights, own.states)
        out.add_aligned(problem, chosen, of * table[..., column.N0])
        rising = own.equation.conjugates((column.W,), self.weights * eq.frequencies, own.states)[0]
        out.frequency += float((rising * table[..., column.N0] * problem.space.dx).sum())
        density = energy_density(eq) * self.factor
        out.table[..., column.N0] += density / table[..., column.N0]
        paired, logarithm = logarithm_of(eq)
        inverse = float((2 * self.weights / eq.frequencies).sum()) + self.factor * logarithm
        out.table[..., column.GAP_RE] += 2 * table[..., column.N0] * table[..., column.GAP_RE] * inverse
        out.table[..., column.GAP_IM] += 2 * table[..., column.N0] * table[..., column.GAP_IM] * inverse
        square = abs(problem.gap) ** 2 * table[..., column.N0] * problem.space.dx
        # T dOmega/dT at fixed w/T: the sum is in proportion to T but for sum 1/w, and ln T grows.
        bare = float((density * problem.space.dx).sum())
        out.value += bare - float((square * inverse).sum())
        out.value += self._of_interfaces(own.equation, own)
        out.logarithms += self.factor * square * paired
        if eq.induced is not None:
            out.potential = out.potential + self.factor / eq.induced.mu0 * (eq.induced.maxwell.matrix @ eq.dofs)

    def along_interfaces(self, own: LinearStates, source: Source) -> float:
        """The derivative along a direction of the coefficients of interfaces, at fixed states."""
        parts = ((part.factor, Matsubara(part.problem)) for part in source.sides)
        return sum(factor * self._of_interfaces(equation, own) for factor, equation in parts)

    def _of_interfaces(self, equation: Matsubara, own: LinearStates) -> float:
        """The energy of the interface terms; of linearised ones, a quadratic form, half of residual times state."""
        if not own.problem.linearized:
            return equation.interface_energy(self.weights, own.states)
        both, total = np.ones((2, len(own.problem.interfaces.facets)), bool), 0.0
        for weight, state in zip(self.weights.tolist(), own.states, strict=True):
            reduced = own_coordinates(equation, state)
            total += 0.5 * weight * inner(equation, side_residual(equation, reduced, both), reduced)
        return total
