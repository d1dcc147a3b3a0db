"""A branch of self-consistent solutions, followed from zero phase difference until it closes, turns over, or ends."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from ..errors import SolveError
from ..solve.results import Equilibrium
from .phase_bias import Sampler

STEP = np.pi / 8  # radians
SHORTEST = 2.0**-6  # of a step
LONGEST = 40 * np.pi  # phase difference beyond which no branch is followed
# Changes of the gap, over its largest value, and of the current, over the largest one, that are too large for one step.
GAP_CHANGE, CURRENT_CHANGE = 0.8, 0.6
PATIENCE = 100  # sweeps; where the branch goes on, each step takes some twenty
CLOSED = 1e-3  # part of the largest current to which currents a turn apart agree on one branch


@dataclass(frozen=True)
class PhaseBranch:
    """What was found of a branch.

    Attributes
    ----------
    periodic
        Whether the current comes back after a turn: there is one solution at every phase difference.
    ends
        The phase differences at which solutions of the branch were last found, going down and up; None where the
        branch goes on, or closes.
    lost
        The phase differences next to `ends` at which it was left.
    """

    periodic: bool
    ends: tuple[float | None, float | None] = (None, None)
    lost: tuple[float | None, float | None] = (None, None)


def follow(sampler: Sampler) -> PhaseBranch:
    """Follow the solutions from phase difference zero to both sides; the currents are kept by the sampler."""
    symmetric = sampler.bias.symmetric
    sampler.current(0.0)
    sides = {+1: _walk(sampler, +1)}
    if not symmetric:
        sides[-1] = _walk(sampler, -1)
    if all(end is None for end, _ in sides.values()):
        gap = sampler.known[np.pi] - (-sampler.known[np.pi] if symmetric else sampler.known[-np.pi])
        if abs(gap) <= CLOSED * max(sampler.largest, 1e-300):
            return PhaseBranch(periodic=True)
    for sign, (end, _) in sides.items():
        if end is None:
            sides[sign] = _over_the_top(sampler, sign)
    if symmetric:
        end, lost = sides[+1]
        sides[-1] = (None if end is None else -end, None if lost is None else -lost)
    (low, lost_low), (high, lost_high) = sides[-1], sides[+1]
    return PhaseBranch(periodic=False, ends=(low, high), lost=(lost_low, lost_high))


def _patience(sampler: Sampler, old: Equilibrium) -> int:
    """Sweeps after which a solution counts as lost: a few times those of the last one on the branch."""
    return min(int(sampler.bias.options.get("max_sweeps", PATIENCE)), max(PATIENCE, 4 * len(old.sweeps)))


Side = tuple[float | None, float | None]  # last phase on the branch, first one off it


def _walk(sampler: Sampler, sign: int) -> Side:
    """Step from zero to half a turn."""
    for k in range(1, round(np.pi / STEP) + 1):
        side = advance(sampler, sign * STEP * (k - 1), sign * STEP * k)
        if side[0] is not None:
            return side
    return None, None


def _over_the_top(sampler: Sampler, sign: int) -> Side:
    """Go on beyond half a turn until the current falls."""
    k = round(np.pi / STEP)
    if sampler.known[sign * STEP * k] * sign < sampler.known[sign * STEP * (k - 1)] * sign:
        return None, None
    while STEP * k < LONGEST:
        side = advance(sampler, sign * STEP * k, sign * STEP * (k + 1), falling=sign)
        k += 1
        if side[0] is not None or sign * STEP * k not in sampler.known:
            return side
        if sampler.known[sign * STEP * k] * sign < sampler.known[sign * STEP * (k - 1)] * sign:
            return None, None
    return None, None


def advance(
    sampler: Sampler, start: float, target: float, *, shortest: float = SHORTEST * STEP, falling: int = 0
) -> Side:  # fmt: skip
    """Go from one phase difference to another in steps as short as need be, or to where the branch is left.

    With `falling`, a sign, no further than to where the current times this sign falls: solutions next to the end of a
    branch are slow to find.
    """
    here, step = start, target - start
    while here != target:
        there = target if abs(target - here) <= abs(step) * (1 + 1e-9) else here + step
        eq = attempt(sampler, here, there)
        if eq is None:
            step = (there - here) / 2
            if abs(step) < shortest:
                return here, there
            continue
        if sampler.known[there] * falling < sampler.known[here] * falling:
            return None, None
        here = there
    return None, None


def attempt(sampler: Sampler, here: float, there: float) -> Equilibrium | None:
    """The solution at a phase difference, taken down, if it lies on the branch of the one it was started from."""
    old = sampler.solutions[here]
    with warnings.catch_warnings():
        # That windings changed is seen below.
        warnings.filterwarnings("ignore", message=".*winding.*", category=UserWarning)
        try:
            new = sampler.bias.solve(
                there, old, workers=sampler.workers, progress=sampler.progress, max_sweeps=_patience(sampler, old)
            )
        except SolveError:
            sampler.failures.add(there)
            return None
    size = abs(old.problem.gap).max()
    if abs(new.problem.gap - old.problem.gap).max() > GAP_CHANGE * size:
        return None
    current = sampler.bias.currents(new)[0]
    change = abs(current - sampler.known[here])
    if here and change > CURRENT_CHANGE * max(sampler.largest, abs(current)):  # from zero on any current is a new one
        return None
    sampler.accept(there, new)
    return new
