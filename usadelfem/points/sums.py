"""What a team does with its chains, in words that can travel: moves of the states, then sums over the points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..fem.gap_equation import Pairing
from ..fem.matsubara import Matsubara
from ..fem.problem import Problem
from ..fem.screening import Induced
from ..numerics.newton import STEP_ACCURACY
from .chain import Chain

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]


# Relative residual of the linear response of the normal metal, from which the stability follows.
MODE_ACCURACY = 1e-12


@dataclass(frozen=True, eq=False)
class Terms:
    """What one point contributes to sums over all of them; None where there is no such field.

    Every term gets a chain, the problem in the present fields, the number of the point in the chain and its weight.
    """

    pairing: Pairing | None = None
    induced: Induced | None = None

    def amplitude(self, chain: Chain, problem: Problem, index: int, weight: complex) -> Complex:
        """Pair amplitude f0, shape (cells, points) of the pairing."""
        assert self.pairing is not None
        return self.pairing.amplitude(chain.equation(problem), chain.states[index], weight)

    def derivative(
        self, chain: Chain, problem: Problem, index: int, weight: complex, change: Complex,
        accuracy: float = STEP_ACCURACY,
    ) -> Complex:  # fmt: skip
        """Change of f0 with the gap, the state following."""
        return self._response(chain, problem, index, weight, chain.states[index], change, accuracy)

    def mode(self, chain: Chain, problem: Problem, index: int, weight: complex, gap: Complex) -> Complex:
        """f0 of the normal metal in a small gap, to first order."""
        normal = np.zeros(chain.states.shape[1:], complex)
        return self._response(chain, problem, index, weight, normal, gap, MODE_ACCURACY)

    def mode_at(
        self, chain: Chain, problem: Problem, index: int, weight: complex, gap: Complex, frequencies: Real
    ) -> Complex:  # fmt: skip
        """f0 of the normal metal in a small gap at some of the frequencies, shape (frequencies, cells, points)."""
        assert self.pairing is not None
        out = np.zeros((len(frequencies), *self.pairing.shape), complex)
        for place in np.flatnonzero(frequencies == chain.points[index]):
            out[place] = self.mode(chain, problem, index, 1.0, gap)
        return out

    def nodal_mode(self, chain: Chain, problem: Problem, index: int, weight: complex, loads: Real) -> Complex:
        """f0 of the normal metal at the nodes of the pairing, for real loads of the gap on them; shape (nodes, loads).

        See `Pairing.load`.
        """
        assert self.pairing is not None
        equation = chain.equation(problem)
        assert isinstance(equation, Matsubara)
        solution = chain.response(problem, index, self.pairing.nodal_source(equation, loads), MODE_ACCURACY)
        if solution is None:  # every node is clamped
            return np.zeros(loads.shape, complex)
        return self.pairing.nodal_amplitude(equation, solution, float(np.real(weight)))

    def _response(
        self, chain: Chain, problem: Problem, index: int, weight: complex, state: Complex, change: Complex,
        accuracy: float,
    ) -> Complex:  # fmt: skip
        assert self.pairing is not None
        equation = chain.equation(problem)
        coupling = chain.coupling(self.pairing, equation, index, state)
        solution = chain.response(problem, index, equation.free(coupling.source(change)), accuracy)
        if solution is None:  # every node is clamped
            return np.zeros(self.pairing.shape, complex)
        return coupling.response(equation.reduced_change(solution), weight)

    def currents(self, chain: Chain, problem: Problem, index: int, weight: complex) -> Real:
        """Charge current and its local response, shape (dim + 1, cells, points)."""
        assert self.induced is not None
        return self.induced.response(chain.equation(problem), chain.states[index], weight)

    def diamagnetic(self, chain: Chain, problem: Problem, index: int, weight: complex) -> Real:
        """dj/dA with the states held, shape (dim, dim, cells, points)."""
        assert self.induced is not None
        return self.induced.diamagnetic(chain.equation(problem), chain.states[index], weight)

    def field_derivative(
        self, chain: Chain, problem: Problem, index: int, weight: complex, gap: Complex, potential: Real,
        accuracy: float = STEP_ACCURACY,
    ) -> Real:  # fmt: skip
        """Changes of f0 and j with the gap and the vector potential (dim, cells, points) through the state, which
        follows: first the former, as pairs of real numbers, then the latter.
        """
        assert self.pairing is not None
        equation, state = chain.equation(problem), chain.states[index]
        assert isinstance(equation, Matsubara)
        paired = chain.coupling(self.pairing, equation, index, state)
        carried = chain.potential_coupling(equation, index, state)
        source = paired.source(gap) + carried.source(potential)
        solution = chain.response(problem, index, equation.free(source), accuracy)
        if solution is None:  # every node is clamped
            return np.zeros(2 * gap.size + potential.size)
        change = equation.reduced_change(solution)
        amplitude, current = paired.response(change, weight), carried.response(change, weight)
        return np.concatenate([np.ascontiguousarray(amplitude).reshape(-1).view(float), current.ravel()])


@dataclass(frozen=True)
class Sum:
    """The sum of a method of `Terms` over the points of a chain, with further arguments of that method."""

    term: Callable[..., Any]
    arguments: tuple[Any, ...] = ()

    def over(self, chain: Chain, terms: Terms, problem: Problem) -> Any:
        """Its value."""
        weights = chain.weights.tolist()
        total = self.term(terms, chain, problem, 0, weights[0], *self.arguments)
        for index in range(1, len(weights)):
            total = total + self.term(terms, chain, problem, index, weights[index], *self.arguments)
        return total


@dataclass(frozen=True)
class Job:
    """What every chain does in one go: a method of `Chain` that moves its states (none: they stay), then sums."""

    move: str = ""
    arguments: tuple[Any, ...] = ()
    sums: tuple[Sum, ...] = ()

    def run(self, chain: Chain, terms: Terms, problem: Problem) -> list[Any]:
        """The values of the sums over one chain."""
        if self.move:
            getattr(chain, self.move)(problem, *self.arguments)
        return [each.over(chain, terms, problem) for each in self.sums]
