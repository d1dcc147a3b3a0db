"""The Usadel equation at many Matsubara frequencies: from high to low, and again after a change of the fields."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from ..diagnostics.quality import advice, is_causal
from ..errors import SolveError
from ..fem.matsubara import Matsubara
from ..fem.problem import Problem
from ..numerics.linear import Factor
from ..numerics.newton import Outcome, newton
from .chain import Chain, Known, amplitude, predict

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

MAX_CONTINUATION = 40


@dataclass(eq=False)
class FrequencyChain(Chain):
    """Matsubara frequencies; their states hold all entries of the Riccati matrix, shape (frequencies, nodes, 4)."""

    what: ClassVar[str] = "Matsubara frequencies"
    unknown: ClassVar[type] = float

    @staticmethod
    def parts(points: int, most: int, known: int) -> list[slice]:
        """Chain k has the frequencies k, k + count, ...: high ones cost as much as low ones."""
        count = max(1, min(most, points))
        return [slice(k, None, count) for k in range(count)]

    @staticmethod
    def equation(problem: Problem) -> Matsubara:
        """The equation of a problem at Matsubara frequencies."""
        return Matsubara(problem)

    @staticmethod
    def argument(point: float, broadening: float) -> float:
        """The frequency itself."""
        return point

    def descend(self, problem: Problem, accuracy: float) -> None:
        """Solve all frequencies from high to low.

        Raises
        ------
        SolveError
            If one does not converge.
        """
        self.known, self.factors = [], {}
        for index in range(len(self.points) - 1, -1, -1):
            outcome, extra, iterations = self._reach(problem, index, accuracy)
            self._store(index, outcome, extra, iterations)
            self.step()

    def _reach(self, problem: Problem, index: int, accuracy: float) -> tuple[Outcome, int, int]:
        """Solve at one frequency, through intermediate frequencies above it where the direct way fails."""
        targets, iterations, extra = [float(self.points[index])], 0, 0
        while targets:
            outcome = self._attempt(problem, index, targets[-1], accuracy)
            iterations += outcome.factorizations
            if outcome.converged:
                targets.pop()
                continue
            extra += 1
            last = self.known[-1][0] if self.known else np.inf
            higher = 4 * (targets[-1] + self.scale) if np.isinf(last) else np.sqrt(last * targets[-1])
            if extra > MAX_CONTINUATION or higher < targets[-1] * (1 + 1e-4):
                raise _failure(problem, targets[-1], outcome)
            targets.append(float(higher))
        return outcome, extra, iterations

    def _attempt(self, problem: Problem, index: int, w: float, accuracy: float) -> Outcome:
        """Newton's method at w from what the last points that converged predict, then from the last one alone."""
        outcome = self._from(problem, index, w, self._predict(w, self.known), accuracy)
        if not outcome.converged and len(self.known) > 1:
            first, outcome = outcome, self._from(problem, index, w, self._predict(w, self.known[-1:]), accuracy)
            outcome = replace(outcome, factorizations=first.factorizations + outcome.factorizations)
        if outcome.converged:
            self.known = [*self.known[-2:], (w, outcome.state)]
        return outcome

    def _newton(self, problem: Problem, index: int, accuracy: float) -> Outcome:
        return self._from(
            problem, index, float(self.points[index]), self.states[index], accuracy, self._factor(index)
        )  # fmt: skip

    def _from(
        self, problem: Problem, index: int, w: float, state: Complex, accuracy: float, factor: Factor | None = None
    ) -> Outcome:  # fmt: skip
        """Newton's method at w from a state."""
        equation = Matsubara(problem)
        start = equation.clamp(w, state)
        if self.solver is None:
            return Outcome(start, True, (0.0,), (), 0)
        outcome = newton(
            equation, w, start, solver=self.solver, clock=self.clock, slot=self._slot(index), factor=factor,
            accuracy=accuracy,
        )  # fmt: skip
        if outcome.converged and not is_causal(problem, outcome.state):
            reason = "the solution is not causal (a Riccati amplitude is above 1)"
            return replace(outcome, converged=False, reason=reason)
        return outcome

    def _predict(self, w: float, known: Known) -> Complex:
        """The state at w, extrapolated from known points and zero as a polynomial in the bulk amplitude."""
        zero = np.zeros(self.states.shape[1:], complex)
        points = [(0.0, zero), *((amplitude(own, self.scale), state) for own, state in known)]
        return predict(amplitude(w, self.scale), points, zero)

    def _where(self, point: float) -> str:
        return f"Matsubara frequency {point:.6g}"


def _failure(problem: Problem, w: float, outcome: Outcome) -> SolveError:
    history = ", ".join(f"{r:.1e}" for r in outcome.residuals[-8:])
    what = f"no convergence at Matsubara frequency {w:.6g}: {outcome.reason}"
    return SolveError(
        f"{what}; last relative residuals: {history}. Try: {advice(problem, w, outcome.state)}",
        frequency=w, residuals=outcome.residuals, state=outcome.state,
    )  # fmt: skip
