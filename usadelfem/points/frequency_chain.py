"""The Usadel equation at many Matsubara frequencies: from high to low, and again after a change of the fields."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from ..diagnostics.quality import advice, is_causal
from ..errors import SolveError
from ..fem.matsubara import Matsubara
from ..fem.problem import Problem
from ..numerics.linear import Factor, LinearSolver
from ..numerics.newton import STEP_ACCURACY, Clock, Outcome, newton
from ..numerics.report import Report

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

MAX_CONTINUATION = 40
# Kept factors may fill this part of the machine's memory.
MEMORY_SHARE = 0.4


@dataclass(eq=False)
class Chain:
    """Some of the frequencies of a solve, with one linear solver, solved one after another.

    Chains of one solve share the mesh and all tables of the problem; each may run in a thread of its own.

    Attributes
    ----------
    frequencies, weights
        Ascending frequencies and their weights in a sum, shape (frequencies,).
    solver
        The linear solver; None where every node is clamped.
    scale
        Largest gap or exchange field of the device.
    keep
        Whether to keep the factors of every frequency for `update`.
    memory
        Bytes that kept factors may fill.
    step
        Called after each frequency of `descend`.
    states
        Entries of the Riccati matrix at the nodes, shape (frequencies, nodes, 4).
    """

    frequencies: Real
    weights: Real
    solver: LinearSolver | None
    scale: float
    states: Complex
    keep: bool = False
    memory: float = np.inf
    step: Callable[[], object] = int
    clock: Clock = field(default_factory=Clock)
    reports: dict[int, Report] = field(default_factory=dict)
    factors: dict[int, Factor] = field(default_factory=dict)
    known: list[tuple[float, Complex]] = field(default_factory=list)

    def descend(self, problem: Problem, accuracy: float) -> None:
        """Solve all frequencies from high to low."""
        self.known, self.factors = [], {}
        for index in range(len(self.frequencies) - 1, -1, -1):
            outcome, extra, iterations = self._reach(problem, index, accuracy)
            self._store(index, outcome, extra, iterations)
            self.step()

    def update(self, problem: Problem, accuracy: float) -> None:
        """Solve all frequencies again after a change of the problem, each from its last state and factors."""
        failed = []
        for index in range(len(self.frequencies) - 1, -1, -1):
            outcome = self._newton(problem, index, self.states[index], accuracy, self._factor(index))
            if outcome.converged:
                self._store(index, outcome, 0, outcome.factorizations)
            else:
                failed.append(index)
        if failed:
            self.descend(problem, accuracy)

    def correct(self, problem: Problem, accuracy: float) -> None:
        """One correction of every state with its kept factors, after a small change of the problem; unchecked.

        Without factors, as in a process that has not seen these frequencies before, they are solved to the accuracy.
        """
        if not self.factors:
            self.update(problem, accuracy)
            return
        for index in range(len(self.frequencies) - 1, -1, -1):
            residual, _ = Matsubara(problem).residual(float(self.frequencies[index]), self.states[index])
            step = self.response(problem, index, residual)
            if step is not None:
                self.states[index] = Matsubara(problem).moved(self.states[index], step)

    def response(
        self, problem: Problem, index: int, source: Real, accuracy: float = STEP_ACCURACY
    ) -> Real | None:  # fmt: skip
        """Change of the free unknowns of a state with a change of the residual; None where every node is clamped.

        Raises
        ------
        SolveError
            If the tangent is singular: the state is at the end of a branch of solutions.
        """
        try:
            factor = self._factor(index) or self._refresh(problem, index)
            return None if factor is None else self.clock.step(factor, source, accuracy=accuracy)
        except np.linalg.LinAlgError as error:
            w = float(self.frequencies[index])
            reason = f"the linear response at Matsubara frequency {w:.6g} was not found: {error}"
            raise SolveError(f"{reason}. Try: linear_solver='superlu', or another `initial`", frequency=w,
                residuals=(), state=self.states[index]) from error

    def forget(self) -> None:
        """Make factors anew where they are needed next."""
        self.factors.clear()

    def release(self) -> None:
        """Free the memory of all factors."""
        self.forget()
        if self.solver is not None:
            self.solver.release()

    @property
    def solver_name(self) -> str:
        """Name of the linear solver."""
        return self.solver.name if self.solver else "none"

    @property
    def held(self) -> int:
        """Bytes of the factors that are kept."""
        return self.solver.factor_bytes * sum(factor.fresh for factor in self.factors.values()) if self.solver else 0

    def _refresh(self, problem: Problem, index: int) -> Factor | None:
        """Factors of the tangent at the present state of a frequency; None where every node is clamped."""
        if self.solver is None:
            return None
        _, _, values = Matsubara(problem).linearize(float(self.frequencies[index]), self.states[index])
        self.factors[index] = self.clock.factor(self.solver, values, self._slot(index))
        return self.factors[index]

    def _reach(self, problem: Problem, index: int, accuracy: float) -> tuple[Outcome, int, int]:
        """Solve at one frequency, through intermediate frequencies above it where the direct way fails."""
        targets, iterations, extra = [float(self.frequencies[index])], 0, 0
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
        outcome = self._newton(problem, index, self._predict(w, self.known), accuracy, None, w)
        if not outcome.converged and len(self.known) > 1:
            first, outcome = outcome, self._newton(problem, index, self._predict(w, self.known[-1:]), accuracy, None, w)
            outcome = replace(outcome, factorizations=first.factorizations + outcome.factorizations)
        if outcome.converged:
            self.known = [*self.known[-2:], (w, outcome.state)]
        return outcome

    def _newton(
        self, problem: Problem, index: int, state: Complex, accuracy: float, factor: Factor | None,
        w: float | None = None,
    ) -> Outcome:  # fmt: skip
        energy = float(self.frequencies[index]) if w is None else w
        equation = Matsubara(problem)
        start = equation.clamp(energy, state)
        if self.solver is None:
            return Outcome(start, True, (0.0,), (), 0)
        outcome = newton(
            equation, energy, start, solver=self.solver, clock=self.clock, slot=self._slot(index), factor=factor,
            accuracy=accuracy,
        )  # fmt: skip
        if outcome.converged and not is_causal(problem, outcome.state):
            reason = "the solution is not causal (a Riccati amplitude is above 1)"
            return replace(outcome, converged=False, reason=reason)
        return outcome

    def _slot(self, index: int) -> int:
        """Where the factors of a frequency go: a slot of its own, the last one where memory ends."""
        if not self.keep or self.solver is None or not self.solver.factor_bytes:
            return index if self.keep else 0
        last = max(int(self.memory / self.solver.factor_bytes) - 1, 0)
        order = len(self.frequencies) - 1 - index  # the lowest frequencies are the last to get one
        return index if order < last else len(self.frequencies) - 1 - last

    def _factor(self, index: int) -> Factor | None:
        """Kept factors of a frequency, if no other frequency has used their slot since."""
        factor = self.factors.get(index)
        return factor if factor is not None and factor.fresh else None

    def _store(self, index: int, outcome: Outcome, extra: int, iterations: int) -> None:
        self.states[index] = outcome.state
        if outcome.factor is not None and self.keep:
            self.factors[index] = outcome.factor
        w = float(self.frequencies[index])
        report = Report(w, True, iterations, outcome.residuals, outcome.steps, extra, outcome.error)
        self.reports[index] = report.after(self.reports.get(index))

    def _predict(self, w: float, known: list[tuple[float, Complex]]) -> Complex:
        """The state at w, extrapolated from known points and zero as a polynomial in the bulk amplitude."""
        zero = np.zeros(self.states.shape[1:], complex)
        points = [(0.0, zero), *((amplitude(own, self.scale), state) for own, state in known)]
        return predict(amplitude(w, self.scale), points, zero)


def amplitude(w: float, scale: float) -> float:
    """Amplitude of a bulk superconductor up to a factor; 0 at infinite frequency, where every state is normal."""
    return float(1 / (w + np.hypot(w, scale)))


def predict(x: float, known: Sequence[tuple[float, Complex]], zero: Complex) -> Complex:
    """Extrapolation to x of a polynomial through known points; zero without any."""
    guess, points = zero.copy(), [own for own, _ in known]
    for own, state in known:
        guess += state * float(np.prod([(x - p) / (own - p) for p in points if p != own]))
    return guess


def factor_memory() -> float:
    """Bytes that kept factors may fill."""
    try:
        return MEMORY_SHARE * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # not on Windows
        return 2.0**31


def _failure(problem: Problem, w: float, outcome: Outcome) -> SolveError:
    history = ", ".join(f"{r:.1e}" for r in outcome.residuals[-8:])
    what = f"no convergence at Matsubara frequency {w:.6g}: {outcome.reason}"
    return SolveError(
        f"{what}; last relative residuals: {history}. Try: {advice(problem, w, outcome.state)}",
        frequency=w, residuals=outcome.residuals, state=outcome.state,
    )  # fmt: skip
