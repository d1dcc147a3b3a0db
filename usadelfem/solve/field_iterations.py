"""Iterations to self-consistent fields: accelerated fixed-point sweeps, Newton's method in the gap, and their best."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator, gmres

from ..errors import SolveError
from ..numerics.anderson import Anderson
from ..numerics.newton import ERROR_TOLERANCE
from ..numerics.report import Iteration
from .field_problem import NEAR, SelfConsistency, as_gap, as_real

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

# The states need this fraction of the accuracy of the fields at each sweep.
INNER = 0.03
LOOSEST = 1e-3
# Fixed-point sweeps are over-relaxed: R is divided by this part of what it grows to at short lengths.
SLOPE = 0.7
# Below a residual of NEAR the approximate inverse of the derivative is used, and this part of its step is mixed in: it
# overestimates steps where magnets or normal metals weaken the gap.
MIXING = 0.8
CHANGED = 2.0  # it is made anew where the gap has changed by this factor
# After PATIENCE sweeps that have not lowered the residual by PROGRESS come PLAIN sweeps without acceleration, each
# time twice as many.
PROGRESS = 0.7
PATIENCE = 15
PLAIN = 20
# Longest change of the gap in a sweep, as a part of its largest modulus, or of SEED bulk gaps where that is small.
TRUST = 0.7
SEED = 0.1
# Newton's method solves its linear equations to this relative residual, in at most so many steps.
FORCING = 0.05
KRYLOV = 60
HALVINGS = 5
# Sweeps without a residual lower by CLEARLY after which the other method is tried; and where a minimum is wanted, and
# the way to a saddle would be wasted.
STALLED, WASTED, CLEARLY = 30, 10, 0.5
# A gap below this part of the bulk gap is asked whether it has to vanish; if not, it starts anew.
SUSPICIOUS = 1e-3
RESTART_ACCURACY = 1e-8  # of states with the fields of a similar device


def anderson_sweeps(consistency: SelfConsistency, tolerance: float) -> Iterator[Iteration]:
    """Fixed-point sweeps with Anderson acceleration; the caller stops the iteration.

    Far from the solution the sweeps are those of the gap equation solved for the gap, which lower the free energy and
    contract everywhere; near it (residual below NEAR) the approximate inverse of the derivative takes their place,
    which removes the slow modes. Where that makes no progress, because the state it aims at does not exist (a vortex
    that has to leave), plain sweeps follow the way down for a while.
    """
    mixer, response, near, number = Anderson(consistency.weight), None, False, 1
    best, stalled, plain, left, built = np.inf, 0, 0, 0, 0.0
    while True:
        residual, potential = consistency.residual(), consistency.potential_step()
        phases = consistency.island_step(residual)
        sweep = consistency.measure(number, residual, potential, phases)
        yield sweep
        if consistency.turns(phases, residual):
            consistency.turn(phases, inner_accuracy(sweep.residual, tolerance))
            mixer, number = Anderson(consistency.weight, MIXING if near else 1.0), number + 1
            continue
        if consistency.grows(residual):
            consistency.move(grown(consistency), LOOSEST)
            mixer, near, number = Anderson(consistency.weight), False, number + 1
            continue
        left = max(left - 1, 0)
        best, stalled = (sweep.residual, 0) if sweep.residual < PROGRESS * best else (best, stalled + (not left))
        if stalled > PATIENCE:
            plain = 2 * plain or PLAIN
            near, best, stalled, left = False, np.inf, 0, plain
        if not near and not left and abs(residual).max(initial=0.0) < NEAR * consistency.unit:
            near, mixer, response, built = True, Anderson(consistency.weight, MIXING), None, 0.0
        if near and sweep.largest and not built / CHANGED < sweep.largest < built * CHANGED:
            mixer, response, built = Anderson(consistency.weight, MIXING), consistency.gap_response(), sweep.largest
        if near and response is not None:
            change = -response.apply(consistency.gap, residual)
        else:
            change = -residual / slope(consistency, 1.0 if left else SLOPE)
        if consistency.islands is not None and len(phases):
            change = change + 1j * consistency.gap * (phases @ consistency.islands.masks)[:, None]
        step = np.concatenate([as_real(change), potential])
        fields = consistency.fields + step if left else mixer.propose(consistency.fields, step)
        consistency.move(within_trust(consistency, fields, sweep.largest), inner_accuracy(sweep.residual, tolerance))
        number += 1


def grown(consistency: SelfConsistency) -> Real:
    """The fields with a larger gap."""
    return np.concatenate([(1 + TRUST) * as_real(consistency.gap), consistency.dofs])


def within_trust(consistency: SelfConsistency, fields: Real, largest: float) -> Real:
    """The fields, or a shorter step where the gap would change by more than TRUST of its size."""
    change = fields - consistency.fields
    count = len(fields) - len(consistency.dofs)
    longest = float(abs(change[:count]).max(initial=0.0))
    limit = TRUST * max(largest, SEED) * consistency.unit
    return consistency.fields + change * (limit / longest) if longest > limit else fields


def slope(consistency: SelfConsistency, part: float) -> Real:
    """What R is divided by in a sweep: a part of what it grows to at short lengths; 1 without pairing."""
    if consistency.pairing is None:
        return np.ones((0, 0))
    return np.where(consistency.paired, part * consistency.coefficient, 1.0)


def newton_sweeps(consistency: SelfConsistency, tolerance: float) -> Iterator[Iteration]:
    """Newton's method in the gap: its matrix is applied with one triangular solve per frequency (GMRES).

    Tangents are factorised anew where a step did not gain what its linear equation was solved to.
    """
    if not consistency.gap_alone:
        raise ValueError("method='newton' is for the gap equation without screening; use 'anderson' or 'descent'")
    number, last = 1, np.inf
    while True:
        residual = consistency.residual()
        phases = consistency.island_step(residual)
        sweep = consistency.measure(number, residual, consistency.dofs, phases)
        yield sweep
        accuracy = inner_accuracy(sweep.residual * FORCING, tolerance)
        if diverted(consistency, residual, phases, accuracy):
            number, last = number + 1, np.inf
            continue
        consistency.settle(accuracy)
        if sweep.residual > FORCING * last:
            consistency.refresh()
        last = sweep.residual
        step, products = _newton_step(consistency, residual)
        norm, before, states = _norm(consistency, residual), consistency.gap, consistency.team.states.copy()
        for halving in range(HALVINGS + 1):
            consistency.team.states[:] = states
            consistency.place(as_real(before + 0.5**halving * step))
            consistency.settle(accuracy)
            if _norm(consistency, consistency.residual()) < (1 - 1e-4 * 0.5**halving) * norm:
                break
        number += 1 + products


def diverted(consistency: SelfConsistency, residual: Complex, phases: Real, accuracy: float) -> bool:
    """Turn islands, or let a gap grow, where that comes before any other step; whether it did."""
    if consistency.turns(phases, residual):
        consistency.turn(phases, accuracy)
        return True
    if consistency.grows(residual):
        consistency.place(grown(consistency))
        consistency.settle(accuracy)
        return True
    return False


def _newton_step(consistency: SelfConsistency, residual: Complex) -> tuple[Complex, int]:
    """The solution of J step = -R, and the number of products with J that it took."""
    assert consistency.pairing is not None
    pairing = consistency.pairing
    root = np.sqrt(np.repeat(pairing.weight.ravel(), 2))
    response, gap, products = consistency.gap_response(), consistency.gap, 0

    def scaled(action: Callable[[Complex], Complex]) -> Callable[[Real], Real]:
        return lambda x: root * as_real(action(as_gap(np.asarray(x).ravel() / root, pairing)))

    def product(change: Complex) -> Complex:
        nonlocal products
        products += 1
        return consistency.derivative(change)

    shape = (len(root), len(root))
    matrix = LinearOperator(shape, matvec=scaled(product), dtype=np.float64)

    def approximate(x: Complex) -> Complex:
        return np.asarray(response.apply(gap, x) - consistency.island_change(x))

    inverse = LinearOperator(shape, matvec=scaled(approximate), dtype=np.float64)
    step, _ = gmres(matrix, -root * as_real(residual), rtol=FORCING, restart=KRYLOV, maxiter=1, M=inverse)
    return as_gap(step / root, pairing), products


def _norm(consistency: SelfConsistency, residual: Complex) -> float:
    assert consistency.pairing is not None
    return float(np.sqrt((consistency.pairing.weight * abs(residual) ** 2).sum()))


def inner_accuracy(residual: float, tolerance: float) -> float:
    """Accuracy of the states that the next residual needs."""
    return float(np.clip(INNER * max(residual, tolerance), ERROR_TOLERANCE, LOOSEST))


@dataclass(eq=False)
class Best:
    """The best fields of an iteration, and since when there have been none that are clearly better."""

    residual: float = np.inf
    number: int = 0
    since: int = 0
    target: float = np.inf
    fields: Real = field(default_factory=lambda: np.empty(0))

    def see(self, consistency: SelfConsistency, sweep: Iteration, number: int) -> None:
        """Take note of a sweep and its fields; a gap that grows out of nothing is no solution and no stall."""
        if 0 < sweep.largest < SUSPICIOUS:
            self.since, self.target = number, np.inf
            return
        if sweep.residual < self.residual:
            self.residual, self.number, self.fields = sweep.residual, number, consistency.fields
        if sweep.residual < CLEARLY * self.target:
            self.target, self.since = sweep.residual, number

    def stalls(self, number: int, patience: int = STALLED) -> bool:
        """Whether nothing has become better for so many sweeps."""
        return number - self.since >= patience and len(self.fields) > 0

    def resume(self, consistency: SelfConsistency, accuracy: float, number: int) -> None:
        """Start the other method from the best fields; it has as many sweeps of its own."""
        consistency.place(self.fields)
        consistency.settle(accuracy)
        self.since = number

    def restore(self, consistency: SelfConsistency) -> None:
        """Put the best fields back, with states that belong to them as far as they can be solved."""
        if len(self.fields):
            consistency.place(self.fields)
            with suppress(SolveError):
                consistency.settle(RESTART_ACCURACY)
