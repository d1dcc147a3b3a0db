"""The retarded Usadel equation at many energies: from high to low, each started from those above it.

The equation has several solutions; the physical one is the analytic continuation of the Matsubara solution to
w = R - iE with R > 0. A solution started from neighbouring energies is accepted only if it is close to their
extrapolation and its spectral functions are positive. All other energies are reached on a *ladder*: w = R - iE from a
large R, where the metal is nearly normal, down to the broadening, in steps short enough for every rung to be close to
the extrapolation of those above. Analyticity within a distance R of w makes steps by a constant factor in R suffice.
Rungs are kept: another energy starts from the lowest one whose R is above its distance.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..fem.problem import Problem
from ..fem.retarded import Retarded
from ..numerics.linear import Factor
from ..numerics.newton import Outcome, newton
from ..physics.riccati import largest_amplitude, spectral_minimum
from .chain import Chain, Known, amplitude, predict

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

# The ladder starts at this multiple of the largest energy of the problem; its steps are by these factors in R.
FAR = 4.0
STRIDE, SHORTEST = 4.0, 1.01
MAX_RUNGS = 150
# A rung may serve an energy at a distance of up to this part of its R: well within the circle of convergence.
REACH = 0.5
# Largest difference of an entry of a Riccati matrix (at most 1) from its extrapolation that keeps to one solution.
TRUST = 0.1
# Solutions that an extrapolation goes through.
POINTS = 3
# Fewest energies of a chain that has to begin with a ladder.
FEWEST = 6
# Intermediate rungs are solved to this accuracy.
ROUGH = 1e-6
# Positivity of the spectral functions and |a| <= 1 hold up to rounding. On coarse meshes the discrete solution itself
# violates them next to contacts, at energies near their gap; on the ladder that is accepted of solutions this close to
# the extrapolation, up to these bounds.
STRICT, CLOSE = 1e-9, 1e-3
LOOSE, AMPLITUDE = 10.0, 3.0


@dataclass(frozen=True)
class Rung:
    """A solution at w = exp(height) - iE."""

    energy: float
    height: float
    state: Complex


@dataclass(eq=False)
class EnergyChain(Chain):
    """Energies of one spectrum; their states hold a and b, shape (energies, nodes, 2n). NaN where none was found.

    Attributes
    ----------
    rungs
        The last ladder, from large to small R.
    factor
        The last factors.
    """

    rungs: list[Rung] = field(default_factory=list)
    factor: Factor | None = None

    what: ClassVar[str] = "energies"
    unknown: ClassVar[type] = complex

    @staticmethod
    def parts(points: int, most: int, known: int) -> list[slice]:
        """Neighbours stay together; FEWEST of them where nothing is known yet, as the first one needs a ladder."""
        count = max(1, min(most, points if known else points // FEWEST))
        ends = [len(own) for own in np.array_split(np.empty(points), count)]
        return [slice(end - size, end) for size, end in zip(ends, np.cumsum(ends).tolist(), strict=True)]

    @staticmethod
    def equation(problem: Problem) -> Retarded:
        """The equation of a problem at real energies."""
        return Retarded(problem)

    @staticmethod
    def argument(point: float, broadening: float) -> complex:
        """w = Gamma - iE."""
        return complex(broadening, -point)

    def descend(self, problem: Problem, accuracy: float) -> None:
        """Solve all energies from high to low, from those that are known or on a ladder."""
        equation = Retarded(problem)
        for index in range(len(self.points) - 1, -1, -1):
            energy, extra = float(self.points[index]), 0
            outcome = self._from_neighbours(equation, index, accuracy)
            iterations = outcome.factorizations
            if not outcome.converged:
                outcome, extra = self._climb_down(equation, index, accuracy)
                iterations += outcome.factorizations
            self._store(index, outcome, extra, iterations)
            if outcome.converged:
                self.known.append((energy, self.states[index]))
            self.step()

    def update(self, problem: Problem, accuracy: float) -> None:
        """Solve all energies again after a change of the problem; what was known is of another one."""
        self.known, self.rungs, self.factor = [], [], None
        super().update(problem, accuracy)

    def forget(self) -> None:
        """Make factors anew where they are needed next."""
        super().forget()
        self.factor = None

    def _where(self, point: float) -> str:
        return f"energy {point:.6g}"

    def _newton(self, problem: Problem, index: int, accuracy: float) -> Outcome:
        equation, state = Retarded(problem), self.states[index]
        if not np.isfinite(state).all():
            return Outcome(equation.zero(), False, (), (), 0)
        w, factor = self._w(index), self._factor(index)
        return self._from(equation, index, w, state, factor, ladder=False, accuracy=accuracy)

    def _from_neighbours(self, equation: Retarded, index: int, accuracy: float) -> Outcome:
        """Newton's method from what the energies before predict."""
        energy = float(self.points[index])
        guess = predict(energy, nearest(self.known, energy), equation.zero())
        borrowed = None if self.keep else self.factor  # what is kept of an energy has to be its own
        outcome = self._from(equation, index, self._w(index), guess, borrowed, ladder=False, accuracy=accuracy)
        self.factor = outcome.factor if outcome.converged else None
        return outcome

    def _climb_down(self, equation: Retarded, index: int, accuracy: float) -> tuple[Outcome, int]:
        """Down the ladder; returns also the number of its rungs that were solved."""
        energy, end = float(self.points[index]), float(np.log(self.broadening))
        usable = [rung for rung in self.rungs if abs(rung.energy - energy) <= REACH * np.exp(rung.height)]
        top = float(np.log(FAR * (self.scale + abs(energy) + self.broadening)))
        here, stride, steps, iterations = usable[-1].height if usable else top, np.log(STRIDE), 0, 0
        fresh: list[Rung] = []
        while True:
            outcome = self._from(
                equation, index, complex(np.exp(here), -energy), self._next_rung(equation, energy, here, usable, fresh),
                None, ladder=True, trusted=bool(fresh or usable), accuracy=accuracy if here <= end else ROUGH,
            )  # fmt: skip
            steps, iterations = steps + 1, iterations + outcome.factorizations
            if outcome.converged:
                fresh.append(Rung(energy, here, outcome.state))
                if here <= end:
                    break
                stride = min(1.5 * stride, np.log(STRIDE))
            elif fresh:
                stride *= 0.4
            elif usable:
                usable = usable[:-1]
            else:
                top += float(np.log(FAR))  # farther out every start is good enough
            if steps >= MAX_RUNGS or stride < np.log(SHORTEST) or top > np.log(1e8 * (self.scale + self.broadening)):
                break
            here = max(fresh[-1].height - stride, end) if fresh else usable[-1].height if usable else top
        self.rungs = [*usable, *fresh]
        self.factor = outcome.factor if outcome.converged else None
        return replace(outcome, factorizations=iterations), steps

    def _next_rung(
        self, equation: Retarded, energy: float, height: float, usable: list[Rung], fresh: list[Rung]
    ) -> Complex:  # fmt: skip
        """The state at a height, from the rungs above it and the normal state at infinite R."""
        if usable and not fresh:
            return usable[-1].state
        size, zero = self.scale + abs(energy), equation.zero()
        above = [(amplitude(np.exp(rung.height), size), rung.state) for rung in fresh[-POINTS:]]
        return predict(amplitude(np.exp(height), size), [(0.0, zero), *above], zero)

    def _from(
        self, equation: Retarded, index: int, w: complex, state: Complex, factor: Factor | None, *, ladder: bool,
        accuracy: float, trusted: bool = True,
    ) -> Outcome:  # fmt: skip
        """Newton's method at w from a state; with factors of another one as long as they help."""
        start = equation.clamp(w, state)
        if self.solver is None:
            return Outcome(start, True, (0.0,), (), 0)
        usable = factor if factor is not None and factor.fresh else None
        found = newton(
            equation, w, start, solver=self.solver, clock=self.clock, slot=self._slot(index), factor=usable,
            accuracy=accuracy,
        )  # fmt: skip
        outcome = _judged(equation, found, start if trusted else None, ladder)
        if outcome.converged or usable is None:
            return outcome
        again = self._from(equation, index, w, state, None, ladder=ladder, accuracy=accuracy, trusted=trusted)
        return replace(again, factorizations=outcome.factorizations + again.factorizations)


def nearest(known: Known, energy: float) -> Known:
    """The known energies that another one is extrapolated from, the nearest first."""
    return sorted(known, key=lambda point: abs(point[0] - energy))[:POINTS]


def _judged(equation: Retarded, outcome: Outcome, start: Complex | None, ladder: bool) -> Outcome:
    """The outcome, not converged if it may be another solution than the physical one."""
    if not outcome.converged or equation.problem.linearized:
        return outcome
    distance = 0.0 if start is None else float(abs(outcome.state - start).max(initial=0.0))
    if not distance <= TRUST:
        return replace(outcome, converged=False, reason="the solution is far from the extrapolation")
    a, b = equation.matrices(outcome.state)
    largest, density = max(largest_amplitude(a), largest_amplitude(b)), spectral_minimum(a, b)
    if largest <= 1 + STRICT and density >= -STRICT:
        return outcome
    if ladder and distance <= CLOSE and largest <= AMPLITUDE and density >= -LOOSE:
        return outcome
    return replace(outcome, converged=False, reason="a density of states is negative")
