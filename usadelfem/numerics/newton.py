"""Newton's method with a line search on the residual, for systems that know how to linearise themselves."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from time import perf_counter
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from .linear import Factor, LinearSolver

Numbers = NDArray[Any]  # real, or complex where the equation is holomorphic

# Estimated error of the unknowns relative to the largest of them, far below any discretisation error.
ERROR_TOLERANCE = 3e-12
# Residual at the end, relative to the terms that cancel in it: rounding in fine meshes reaches 1e-10.
RESIDUAL_TOLERANCE = 1e-8
# Below this the residual is rounding noise, which no line search can be asked to reduce.
ROUNDING = 1e-12
# Stiff equations (a nearly perfect barrier, cells a thousand times longer than wide) never get that far: there the end
# is reached where every residual is below this multiple of the rounding errors of the products that it is made of.
NOISE = 50.0
USELESS = 1e-2  # error of such a state, relative to its largest entry, that is no solution any more
MAX_STEPS = 25
# A step shorter than 1/256 of Newton's does not get anywhere; continuation in frequency does.
HALVINGS = 8
# Sufficient decrease of the residual norm (Armijo).
DECREASE = 1e-4
# A step with the factors of the last tangent costs a tenth of a new factorisation, so it pays while the steps shrink
# at least this fast; the contraction also gives the error bound theta/(1 - theta) |step| that ends the iteration.
CONTRACTION = 0.25
MAX_CORRECTIONS = 12
# The same for factors of an earlier problem, which may be worse: as many corrections as cost one new factorisation.
REUSE_CONTRACTION, MAX_REUSES = 0.5, 9
# Relative residual to which linear responses are solved for; and Newton's own steps, after which the nonlinearity
# leaves more than that, and corrections take it out.
STEP_ACCURACY = 1e-5
FORCING = 1e-3


class System(Protocol):
    """What Newton's method needs to know of an equation with a parameter w, real or complex."""

    def residual(self, w: Any, state: Any) -> tuple[Numbers, float]:
        """Residual and the size of the terms it is a sum of."""
        ...

    def linearize(self, w: Any, state: Any) -> tuple[Numbers, float, Numbers]:
        """Residual, its size, and the values of the tangent in the solver's pattern."""
        ...

    def moved(self, state: Any, step: Numbers) -> Any:
        """The state after a step."""
        ...

    def unknowns(self, state: Any) -> Numbers:
        """The free unknowns of a state, in the order of a step."""
        ...


@dataclass(eq=False)
class Clock:
    """Seconds spent in factorisations and triangular solves, and how many there were of each."""

    factorize: float = 0.0
    solve: float = 0.0
    factorizations: int = 0
    solves: int = 0

    def add(self, other: Clock) -> None:
        """Add what another clock has counted."""
        self.factorize += other.factorize
        self.solve += other.solve
        self.factorizations += other.factorizations
        self.solves += other.solves

    def factor(self, solver: LinearSolver, values: Numbers, slot: int = 0) -> Factor:
        """Factorise on the clock."""
        start = perf_counter()
        factor = solver.factorize(values, slot)
        self.factorize += perf_counter() - start
        self.factorizations += 1
        return factor

    def step(
        self, factor: Factor, residual: Numbers, *, checked: bool = True, accuracy: float = STEP_ACCURACY
    ) -> Numbers:  # fmt: skip
        """Newton's step for a residual, on the clock."""
        start = perf_counter()
        step = -factor.solve(residual, checked=checked, accuracy=accuracy)
        self.solve += perf_counter() - start
        self.solves += 1
        return np.asarray(step)


@dataclass(frozen=True, eq=False)
class Outcome:
    """Where Newton's method ended, and how; `error` is that of the state, relative to its largest entry."""

    state: Any
    converged: bool
    residuals: tuple[float, ...]
    steps: tuple[float, ...]
    factorizations: int
    reason: str = ""
    factor: Factor | None = None
    error: float = 0.0


@dataclass(eq=False)
class _Iterate:
    """The current state with its residual, and the history."""

    system: System
    w: Any
    state: Any
    residual: Numbers
    relative: float
    accuracy: float
    residuals: list[float] = field(default_factory=list)
    steps: list[float] = field(default_factory=list)
    factorizations: int = 0
    factor: Factor | None = None
    error: float = 0.0

    def move(self, state: Any, residual: Numbers, relative: float, step: float) -> None:
        self.state, self.residual, self.relative = state, residual, relative
        self.residuals.append(relative)
        self.steps.append(step)

    def outcome(self, reason: str = "") -> Outcome:
        history = tuple(self.residuals), tuple(self.steps), self.factorizations
        return Outcome(self.state, not reason, *history, reason, self.factor, self.error)

    def is_exact(self, factor: Factor) -> bool:
        """Whether the residual is made of rounding errors only; the last step then tells what they do to the state."""
        if not self.steps or not factor.fresh or not np.isfinite(self.relative):
            return False
        level = factor.rounding(self.system.unknowns(self.state))
        if not (abs(self.residual) <= NOISE * level).all():
            return False
        self.error = min(self.steps[-2:]) / max(float(abs(self.state).max(initial=0.0)), 1e-300)
        return self.error < USELESS


def newton(
    system: System, w: Any, state: Any, *, solver: LinearSolver, clock: Clock, slot: int = 0,
    factor: Factor | None = None, accuracy: float = ERROR_TOLERANCE,
) -> Outcome:  # fmt: skip
    """Solve residual(w, state) = 0 from a starting state.

    Exact Newton steps with a line search; once a full step has been taken, corrections with the same factors as long as
    they contract. Converged means that the error estimated from the contraction is below `accuracy` of the largest
    unknown, and the residual below RESIDUAL_TOLERANCE (or `accuracy`) of the terms it is a sum of.

    `factor` of an earlier, similar tangent is tried first; new factors go to `slot` of the solver.
    """
    current = _Iterate(system, w, state, np.empty(0), np.inf, accuracy)
    if factor is not None and _reuse(current, factor, clock):
        return current.outcome()
    for _ in range(MAX_STEPS):
        residual, size, values = system.linearize(w, current.state)
        current.residual, current.relative = residual, _relative(residual, size)
        if not current.residuals:
            current.residuals.append(current.relative)
        if not np.isfinite(current.relative):
            return current.outcome("the residual is not finite")
        try:
            current.factor = clock.factor(solver, values, slot)
            current.factorizations += 1
            step = clock.step(current.factor, residual, accuracy=FORCING)
            length = _line_search(current, step)
            if length == 1.0 and _correct(current, current.factor, clock):
                return current.outcome()
        except np.linalg.LinAlgError as error:
            return current.outcome(f"the tangent is singular ({error})")
        if length == 0.0:
            exact = current.factor is not None and current.is_exact(current.factor)
            return current.outcome("" if exact else "the line search found no smaller residual")
    return current.outcome(f"no convergence in {MAX_STEPS} steps")


def _reuse(current: _Iterate, factor: Factor, clock: Clock) -> bool:
    """Try to converge with factors of an earlier tangent; a failure that made things worse is undone."""
    start = current.state
    current.residual, size = current.system.residual(current.w, start)
    first = current.relative = _relative(current.residual, size)
    current.residuals.append(first)
    current.factor = factor
    if not np.isfinite(first):
        return False
    try:
        if _correct(current, factor, clock, MAX_REUSES, REUSE_CONTRACTION):
            return True
    except np.linalg.LinAlgError:
        pass
    if not current.relative <= first:
        current.state = start
    current.steps.clear()
    return False


def _relative(residual: Numbers, size: float) -> float:
    largest = float(abs(residual).max(initial=0.0))
    return largest / size if size > 0 else largest


def _line_search(current: _Iterate, step: Numbers) -> float:
    """Take the longest of the steps 1, 1/2, 1/4, ... that reduces the residual; returns its length, 0 if none does."""
    norm = float(np.linalg.norm(current.residual))
    for halving in range(HALVINGS + 1):
        length = 0.5**halving
        trial = current.system.moved(current.state, length * step)
        residual, size = current.system.residual(current.w, trial)
        relative, after = _relative(residual, size), float(np.linalg.norm(residual))
        if np.isfinite(relative) and (after <= (1 - DECREASE * length) * norm or relative <= ROUNDING):
            current.move(trial, residual, relative, length * float(abs(step).max()))
            return length
    return 0.0


def _correct(
    current: _Iterate, factor: Factor, clock: Clock, patience: int = MAX_CORRECTIONS, allowed: float = CONTRACTION
) -> bool:
    """Corrections with the factors of an earlier tangent while they contract; returns whether converged.

    They are accelerated like GMRES, whose preconditioner the factors are. It gives up where `patience` corrections are
    not going to be enough, or one does not contract as `allowed`.
    """
    mixed = Acceleration()
    for left in range(patience, 0, -1):
        step = mixed.step(clock.step(factor, current.residual, checked=False))
        length, scale = float(abs(step).max()), float(abs(current.state).max())
        known = bool(current.steps)
        # The contraction of a first step is not known; an intermediate result may assume that it is a good one.
        contraction = length / max(current.steps[-1], 1e-300) if known else CONTRACTION
        small = length * contraction / (1 - min(contraction, 0.5)) <= current.accuracy * scale
        converged = small and (known or current.accuracy > ERROR_TOLERANCE)
        if not contraction <= allowed and length > ROUNDING * scale:
            return current.is_exact(factor)
        if patience == MAX_REUSES and known and length * contraction**left > current.accuracy * scale:
            return False
        state = current.system.moved(current.state, step)
        residual, size = current.system.residual(current.w, state)
        relative = _relative(residual, size)
        if not np.isfinite(relative):
            return False
        current.move(state, residual, relative, length)
        if converged and relative <= max(RESIDUAL_TOLERANCE, current.accuracy):
            current.error = length * contraction / scale if scale > 0 else 0.0
            return True
        if length <= ROUNDING * scale:
            return relative <= RESIDUAL_TOLERANCE or current.is_exact(factor)
    return False


class Acceleration:
    """Combines corrections with approximate factors so that the next residual is small: Anderson's method, for linear
    equations GMRES preconditioned by the factors.
    """

    def __init__(self, depth: int = 6) -> None:
        self._depth = depth
        self._plain: list[Numbers] = []
        self._taken: list[Numbers] = []

    def step(self, correction: Numbers) -> Numbers:
        """The step to take instead of a correction; all of them have to be taken."""
        step = correction
        if self._plain:
            changes = np.stack([correction - self._plain[-1], *[b - a for a, b in pairwise(self._plain)][::-1]])
            moves = np.stack(self._taken[::-1])
            size = np.linalg.norm(changes, axis=1) + np.finfo(float).tiny
            gram = (changes.conj() @ changes.T) / np.outer(size, size)
            right = (changes.conj() @ correction) / size
            weights = np.linalg.lstsq(gram, right, rcond=1e-10)[0] / size
            step = correction - weights @ (moves + changes)
        self._plain = [*self._plain[-self._depth + 1 :], correction]
        self._taken = [*self._taken[-self._depth + 1 :], step]
        return np.asarray(step)
