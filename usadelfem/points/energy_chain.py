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

import numpy as np
from numpy.typing import NDArray

from ..fem.retarded import Retarded
from ..numerics.linear import Factor, LinearSolver
from ..numerics.newton import ERROR_TOLERANCE, Clock, Outcome, newton
from ..numerics.report import Report
from ..physics.riccati import largest_amplitude, spectral_minimum
from .frequency_chain import amplitude, predict

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
class EnergyChain:
    """Energies of one spectrum, with one linear solver, solved one after another.

    Attributes
    ----------
    equation
        The retarded equation.
    scale
        Largest gap or exchange field of the device.
    broadening
        Imaginary part Gamma of the energy.
    solver
        The linear solver; None where every node is clamped.
    known
        The energies that converged, with their states.
    rungs
        The last ladder, from large to small R.
    """

    equation: Retarded
    scale: float
    broadening: float
    kind: str = "auto"
    clock: Clock = field(default_factory=Clock)
    known: list[tuple[float, Complex]] = field(default_factory=list)
    rungs: list[Rung] = field(default_factory=list)
    factor: Factor | None = None

    def __post_init__(self) -> None:
        pattern = self.equation.problem.pattern
        self.solver: LinearSolver | None = None
        if len(pattern.free):
            self.solver = self.equation.problem.borrow_solver(self.kind, complex)

    def solve(self, energy: float) -> tuple[Complex, Report]:
        """The state at an energy, NaN where it was not found, and how it went."""
        outcome, extra = self._from_neighbours(energy), 0
        iterations = outcome.factorizations
        if not outcome.converged:
            outcome, extra = self._descend(energy)
            iterations += outcome.factorizations
        report = Report(
            energy, outcome.converged, iterations, outcome.residuals, outcome.steps, extra, outcome.error
        )
        if not outcome.converged:
            return np.full_like(outcome.state, np.nan), report
        self.known.append((energy, outcome.state))
        return outcome.state, report

    def release(self) -> None:
        """Give the solver back; the chain has done its work."""
        self.factor = None
        if self.solver is not None:
            self.equation.problem.return_solver(self.solver, self.kind, complex)

    def _from_neighbours(self, energy: float) -> Outcome:
        """Newton's method from what the energies before predict."""
        nearest = sorted(self.known, key=lambda point: abs(point[0] - energy))[:POINTS]
        guess = predict(energy, nearest, self.equation.zero())
        outcome = self._newton(complex(self.broadening, -energy), guess, self.factor, ladder=False)
        self.factor = outcome.factor if outcome.converged else None
        return outcome

    def _descend(self, energy: float) -> tuple[Outcome, int]:
        """Down the ladder; returns also the number of its rungs that were solved."""
        end = float(np.log(self.broadening))
        usable = [rung for rung in self.rungs if abs(rung.energy - energy) <= REACH * np.exp(rung.height)]
        top = float(np.log(FAR * (self.scale + abs(energy) + self.broadening)))
        here, stride, steps, iterations = usable[-1].height if usable else top, np.log(STRIDE), 0, 0
        fresh: list[Rung] = []
        while True:
            outcome = self._newton(
                complex(np.exp(here), -energy), self._next_rung(energy, here, usable, fresh), None, ladder=True,
                trusted=bool(fresh or usable), accuracy=ERROR_TOLERANCE if here <= end else ROUGH,
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

    def _next_rung(self, energy: float, height: float, usable: list[Rung], fresh: list[Rung]) -> Complex:
        """The state at a height, from the rungs above it and the normal state at infinite R."""
        if usable and not fresh:
            return usable[-1].state
        size, zero = self.scale + abs(energy), self.equation.zero()
        above = [(amplitude(np.exp(rung.height), size), rung.state) for rung in fresh[-POINTS:]]
        return predict(amplitude(np.exp(height), size), [(0.0, zero), *above], zero)

    def _newton(
        self, w: complex, state: Complex, factor: Factor | None, *, ladder: bool, trusted: bool = True,
        accuracy: float = ERROR_TOLERANCE,
    ) -> Outcome:  # fmt: skip
        start = self.equation.clamp(w, state)
        if self.solver is None:
            return Outcome(start, True, (0.0,), (), 0)
        usable = factor if factor is not None and factor.fresh else None
        found = newton(self.equation, w, start, solver=self.solver, clock=self.clock, factor=usable, accuracy=accuracy)
        outcome = self._judge(found, start if trusted else None, ladder)
        if outcome.converged or usable is None:
            return outcome
        again = self._newton(w, state, None, ladder=ladder, trusted=trusted, accuracy=accuracy)
        return replace(again, factorizations=outcome.factorizations + again.factorizations)

    def _judge(self, outcome: Outcome, start: Complex | None, ladder: bool) -> Outcome:
        """The outcome, not converged if it may be another solution than the physical one."""
        if not outcome.converged or self.equation.problem.linearized:
            return outcome
        distance = 0.0 if start is None else float(abs(outcome.state - start).max(initial=0.0))
        if not distance <= TRUST:
            return replace(outcome, converged=False, reason="the solution is far from the extrapolation")
        a, b = self.equation.matrices(outcome.state)
        largest, density = max(largest_amplitude(a), largest_amplitude(b)), spectral_minimum(a, b)
        if largest <= 1 + STRICT and density >= -STRICT:
            return outcome
        if ladder and distance <= CLOSE and largest <= AMPLITUDE and density >= -LOOSE:
            return outcome
        return replace(outcome, converged=False, reason="a density of states is negative")
