"""Newton's method with a line search on the residual, for systems that know how to linearise themselves."""

from __future__ import annotations

from dataclasses import dataclass
from time import perf_counter
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .linear import LinearSolver

Real = NDArray[np.float64]

# A full Newton step below this leaves an error of the order of its square, far below any discretisation error.
STEP_TOLERANCE = 1e-8
# Residual after that step, relative to the terms that cancel in it: rounding in fine meshes reaches 1e-10.
RESIDUAL_TOLERANCE = 1e-8
# Below this the residual is rounding noise, which no line search can be asked to reduce.
ROUNDING = 1e-12
MAX_STEPS = 25
# A step shorter than 1/256 of Newton's does not get anywhere; continuation in frequency does.
HALVINGS = 8
# Sufficient decrease of the residual norm (Armijo).
DECREASE = 1e-4


class System(Protocol):
    """What Newton's method needs to know of an equation with a parameter w."""

    def residual(self, w: float, state: Any) -> tuple[Real, float]:
        """Residual and the size of the terms it is a sum of."""
        ...

    def linearize(self, w: float, state: Any) -> tuple[Real, float, Real]:
        """Residual, its size, and the values of the tangent in the solver's pattern."""
        ...

    def moved(self, state: Any, step: Real) -> Any:
        """The state after a step."""
        ...


@dataclass(eq=False)
class Clock:
    """Seconds spent in factorisations and triangular solves, and how many there were."""

    factorize: float = 0.0
    solve: float = 0.0
    factorizations: int = 0


@dataclass(frozen=True, eq=False)
class Outcome:
    """Where Newton's method ended."""

    state: Any
    converged: bool
    residuals: tuple[float, ...]
    steps: tuple[float, ...]
    reason: str = ""


def newton(system: System, w: float, state: Any, *, solver: LinearSolver, clock: Clock) -> Outcome:
    """Solve residual(w, state) = 0 from a starting state.

    Converged means that the last step was a full Newton step, changed no unknown by more than STEP_TOLERANCE, and left
    a residual below RESIDUAL_TOLERANCE of the terms it is a sum of.
    """
    residuals: list[float] = []
    steps: list[float] = []
    for _ in range(MAX_STEPS):
        residual, size, values = system.linearize(w, state)
        residuals.append(_relative(residual, size))
        if not np.isfinite(residuals[-1]):
            return Outcome(state, False, tuple(residuals), tuple(steps), "the residual is not finite")
        try:
            step = -_solve(solver, values, residual, clock)
        except np.linalg.LinAlgError as error:
            return Outcome(state, False, tuple(residuals), tuple(steps), f"the tangent is singular ({error})")
        state, length, after = _line_search(system, w, state, residual, step)
        if length == 0.0:
            return Outcome(state, False, tuple(residuals), tuple(steps), "the line search found no smaller residual")
        steps.append(length * float(abs(step).max(initial=0.0)))
        if length == 1.0 and steps[-1] <= STEP_TOLERANCE and after <= RESIDUAL_TOLERANCE:
            return Outcome(state, True, (*residuals, after), tuple(steps))
    return Outcome(state, False, tuple(residuals), tuple(steps), f"no convergence in {MAX_STEPS} steps")


def _relative(residual: Real, size: float) -> float:
    largest = float(abs(residual).max(initial=0.0))
    return largest / size if size > 0 else largest


def _solve(solver: LinearSolver, values: Real, rhs: Real, clock: Clock) -> Real:
    start = perf_counter()
    factor = solver.factorize(values)
    middle = perf_counter()
    solution: Real = factor.solve(rhs)
    clock.factorize += middle - start
    clock.solve += perf_counter() - middle
    clock.factorizations += 1
    return solution


def _line_search(system: System, w: float, state: Any, residual: Real, step: Real) -> tuple[Any, float, float]:
    """The state after the longest of the steps 1, 1/2, 1/4, ... that reduces the residual, its length and residual."""
    norm = float(np.linalg.norm(residual))
    for halving in range(HALVINGS + 1):
        length = 0.5**halving
        trial = system.moved(state, length * step)
        after, size = system.residual(w, trial)
        relative, shrunk = _relative(after, size), float(np.linalg.norm(after)) <= (1 - DECREASE * length) * norm
        if np.isfinite(relative) and (shrunk or relative <= ROUNDING):
            return trial, length, relative
    return state, 0.0, np.inf
