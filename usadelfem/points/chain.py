"""Points of a spectrum, imaginary or real, solved one after another: what chains of both kinds have in common."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..errors import SolveError
from ..fem.gap_equation import BareCoupling, GapCoupling, Pairing, gap_coupling
from ..fem.matsubara import Matsubara
from ..fem.problem import Problem
from ..fem.retarded import Retarded
from ..fem.screening import PotentialCoupling, potential_coupling
from ..numerics.linear import Factor, LinearSolver
from ..numerics.newton import FORCING, STEP_ACCURACY, Clock, Outcome
from ..numerics.report import Report

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]
Known = Sequence[tuple[float, Complex]]

# Kept factors may fill this part of the machine's memory.
MEMORY_SHARE = 0.4
# Tables of how gap and states couple may fill this part of that.
COUPLED = 0.1


@dataclass(eq=False)
class Chain(ABC):
    """Some of the points of a solve, with one linear solver.

    Chains of one solve share the mesh and all tables of the problem; each may run in a thread of its own. Kinds of
    chains differ in the equation and in how they find a state without a start.

    Attributes
    ----------
    scale
        Largest gap or exchange field of the device.
    broadening
        Imaginary part of the energies; 0 at Matsubara frequencies.
    kind
        The linear solver, as in `linear_solver`.
    keep
        Whether to keep the factors of every point for `update`.
    memory
        Bytes that kept factors may fill.
    step
        Called after each point of `descend`.
    points, weights
        Ascending frequencies or energies and their weights in a sum, shape (points,).
    states
        Unknown matrices at the nodes, shape (points, nodes, entries).
    known
        Points that are solved already, with their states, from which others are extrapolated.
    solver
        The linear solver; None where every node is clamped, or while nothing is solved.
    coupled
        States at which the response of the gap was asked for, and tables of it.
    carried
        The same of the response of a vector potential, at one potential.
    """

    scale: float
    broadening: float = 0.0
    kind: str = "auto"
    keep: bool = False
    memory: float = np.inf
    step: Callable[[], object] = int
    points: Real = field(default_factory=lambda: np.empty(0))
    weights: NDArray[Any] = field(default_factory=lambda: np.empty(0))
    states: Complex = field(default_factory=lambda: np.empty(0, complex))
    known: list[tuple[float, Complex]] = field(default_factory=list)
    solver: LinearSolver | None = None
    clock: Clock = field(default_factory=Clock)
    reports: dict[int, Report] = field(default_factory=dict)
    factors: dict[int, Factor] = field(default_factory=dict)
    coupled: dict[int, tuple[Complex, GapCoupling | None]] = field(default_factory=dict)
    carried: dict[int, tuple[Complex, PotentialCoupling]] = field(default_factory=dict)
    problem: Problem | None = None

    _last_name = "none"
    what: ClassVar[str]
    unknown: ClassVar[type]

    @staticmethod
    @abstractmethod
    def parts(points: int, most: int, known: int) -> list[slice]:
        """How so many points are divided among chains, where so many are known already."""

    @staticmethod
    @abstractmethod
    def equation(problem: Problem) -> Matsubara | Retarded:
        """The equation of a problem at points of this kind."""

    @staticmethod
    @abstractmethod
    def argument(point: float, broadening: float) -> Any:
        """w of the equation at a point."""

    @abstractmethod
    def descend(self, problem: Problem, accuracy: float) -> None:
        """Solve all points from high to low."""

    @abstractmethod
    def _newton(self, problem: Problem, index: int, accuracy: float) -> Outcome:
        """Newton's method from the present state of a point with its factors."""

    @abstractmethod
    def _where(self, point: float) -> str:
        """The point in words."""

    def take(self, points: Real, weights: NDArray[Any], states: Complex, known: Known) -> None:
        """Turn to other points, or to other states of the same ones."""
        if len(points) != len(self.points) or (points != self.points).any():
            if self.keep:
                self.release()  # a solver with as many places for factors as there were points
            self.forget()
            self.reports = {}
        self.points, self.weights, self.states, self.known = points, weights, states, list(known)

    def borrow(self, problem: Problem) -> None:
        """Take a linear solver, which knows the pattern already if the problem has an idle one."""
        if self.solver is None and len(problem.pattern.free):
            self.solver = problem.borrow_solver(self.kind, self.unknown, self._slots)
            self.problem = problem

    def release(self) -> None:
        """Free the memory of all factors and give the linear solver back."""
        self.forget()
        self._last_name = self.solver_name
        if self.solver is not None and self.problem is not None:
            self.problem.return_solver(self.solver, self.kind, self.unknown, self._slots)
        self.solver = None

    def forget(self) -> None:
        """Make factors anew where they are needed next."""
        self.factors.clear()
        self.coupled.clear()
        self.carried.clear()

    def update(self, problem: Problem, accuracy: float) -> None:
        """Solve all points again after a change of the problem, each from its last state and factors."""
        failed = []
        for index in range(len(self.points) - 1, -1, -1):
            outcome = self._newton(problem, index, accuracy)
            if outcome.converged:
                self._store(index, outcome, 0, outcome.factorizations)
            else:
                failed.append(index)
        if failed:
            self.factors = {}
            self.descend(problem, accuracy)

    def correct(self, problem: Problem, accuracy: float) -> None:
        """One correction of every state with its kept factors, after a small change of the problem; unchecked.

        Its linear equation is solved to FORCING; the next correction takes out what that leaves. Without factors, as in
        a process that has not seen these points before, they are solved to the accuracy.
        """
        if not self.factors:
            self.update(problem, accuracy)
            return
        equation = self.equation(problem)
        for index in range(len(self.points) - 1, -1, -1):
            residual, _ = equation.residual(self._w(index), self.states[index])
            step = self.response(problem, index, residual, FORCING)
            if step is not None:
                self.states[index] = equation.moved(self.states[index], step)

    def response(
        self, problem: Problem, index: int, source: NDArray[Any], accuracy: float = STEP_ACCURACY
    ) -> NDArray[Any] | None:  # fmt: skip
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
            point = float(self.points[index])
            reason = f"the linear response at {self._where(point)} was not found: {error}"
            raise SolveError(f"{reason}. Try: linear_solver='superlu', or another `initial`", frequency=point,
                residuals=(), state=self.states[index]) from error

    def coupling(
        self, pairing: Pairing, equation: Matsubara | Retarded, index: int, state: Complex
    ) -> GapCoupling | BareCoupling:  # fmt: skip
        """How gap and state couple at a state of a point; as a table, where it is asked for the second time."""
        bare = BareCoupling(pairing, equation, state)
        if isinstance(equation, Retarded) or bare.table_bytes * len(self.points) > COUPLED * self.memory:
            return bare
        before, table = self.coupled.get(index, (None, None))
        if before is None or not np.array_equal(before, state):
            self.coupled[index] = state.copy(), None
            return bare
        if table is None:
            table = gap_coupling(pairing, equation, state)
            self.coupled[index] = before, table
        return table

    def potential_coupling(self, equation: Matsubara, index: int, state: Complex) -> PotentialCoupling:
        """How a vector potential and a state of a point couple; kept until the factors are made anew, if it fits."""
        before, found = self.carried.get(index, (None, None))
        if found is None or before is None or not np.array_equal(before, state):
            found = potential_coupling(equation, state)
            if found.table.nbytes * len(self.points) <= COUPLED * self.memory:
                self.carried[index] = state.copy(), found
        return found

    @property
    def solver_name(self) -> str:
        """Name of the linear solver, which may change while it works; that of the last one after the end."""
        return self.solver.name if self.solver else self._last_name

    @property
    def held(self) -> int:
        """Bytes of the factors that are kept."""
        return self.solver.factor_bytes * sum(factor.fresh for factor in self.factors.values()) if self.solver else 0

    @property
    def _slots(self) -> int:
        """How many factors are kept at a time."""
        return len(self.points) if self.keep else 1

    def _w(self, index: int) -> Any:
        return self.argument(float(self.points[index]), self.broadening)

    def _refresh(self, problem: Problem, index: int) -> Factor | None:
        """Factors of the tangent at the present state of a point; None where every node is clamped."""
        if self.solver is None:
            return None
        _, _, values = self.equation(problem).linearize(self._w(index), self.states[index])
        self.factors[index] = self.clock.factor(self.solver, values, self._slot(index))
        return self.factors[index]

    def _slot(self, index: int) -> int:
        """Where the factors of a point go: a slot of its own, the last one where memory ends."""
        if not self.keep or self.solver is None or not self.solver.factor_bytes:
            return index if self.keep else 0
        last = max(int(self.memory / self.solver.factor_bytes) - 1, 0)
        order = len(self.points) - 1 - index  # the lowest points are the last to get one
        return index if order < last else len(self.points) - 1 - last

    def _factor(self, index: int) -> Factor | None:
        """Kept factors of a point, if no other one has used their slot since."""
        factor = self.factors.get(index)
        return factor if factor is not None and factor.fresh else None

    def _store(self, index: int, outcome: Outcome, extra: int, iterations: int) -> None:
        """Keep the state of a point, NaN where it was not found, and how it went."""
        self.states[index] = outcome.state if outcome.converged else np.nan
        if outcome.converged and outcome.factor is not None and self.keep:
            self.factors[index] = outcome.factor
        point, steps = float(self.points[index]), outcome.steps
        solver = self.solver.name if self.solver else "none"
        report = Report(point, outcome.converged, iterations, outcome.residuals, steps, extra, outcome.error, solver)
        self.reports[index] = report.after(self.reports.get(index))


def amplitude(w: float, scale: float) -> float:
    """Amplitude of a bulk superconductor up to a factor; 0 at infinite frequency, where every state is normal."""
    return float(1 / (w + np.hypot(w, scale)))


def predict(x: float, known: Known, zero: Complex) -> Complex:
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
