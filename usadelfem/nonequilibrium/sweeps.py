"""Sweeps to a gap out of equilibrium: they follow the relaxation of the gap, and are accelerated where it ends.

There is no free energy to tell a stable state from an unstable one, and acceleration is drawn to either. The relaxation
itself, with the approximate inverse of the derivative of the equilibrium gap equation as mobility, runs away from
unstable states, and through the narrow passage that a state which has just ceased to exist leaves behind.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from ..errors import SolveError
from ..numerics.anderson import Anderson
from ..numerics.newton import ERROR_TOLERANCE
from ..numerics.report import Iteration
from ..solve.field_iterations import CHANGED, MIXING, SLOPE, grown, inner_accuracy, slope, within_trust
from ..solve.field_problem import NEAR, SelfConsistency, as_real
from .locking import Locking

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

# Acceleration begins after so many sweeps in a row that have lowered the residual to this part of the one before, and
# below the other number; it ends where the residual has grown by the factor, for RELAXED sweeps, then twice as many.
STEADY, LOWERED, SMALL = 3, 0.9, 0.05
MISLED = 3.0
RELAXED = 15
# Where phases turn back they have turned too far: they turn less from then on, and by this factor more with every sweep
# in which they do not. Parts that a short link locks ask for it, since the mobility does not know the link.
REGAINED = 1.1
# Change of the gap, as a part of it, after which a stable state is found again; sweeps that it is given to show so.
NUDGE, WATCHED = 0.02, 7


@dataclass(eq=False)
class Turning:
    """How much of the turn of the phases in each step is taken; `weight` is that of the points of the pairing."""

    weight: Real
    part: float = 1.0
    last: Real | None = None

    def slowed(self, gap: Complex, change: Complex) -> Complex:
        """The change of a gap, with phases that turn less where they go back on the step before."""
        turn = (gap.conj() * change).imag
        square = 0.0 if self.last is None else float((self.weight * self.last**2).sum())
        along = 0.0 if self.last is None or not square else float((self.weight * self.last * turn).sum()) / square
        self.part = self.part / (1 - along) if along < 0 else min(REGAINED * self.part, 1.0)
        self.last = turn
        return np.asarray(change - (1 - self.part) * 1j * turn * gap / np.maximum(abs(gap) ** 2, 1e-300))


def relaxing_sweeps(
    consistency: SelfConsistency, tolerance: float, *, accelerated: bool = True
) -> Iterator[Iteration]:  # fmt: skip
    """Sweeps with acceleration where the relaxation contracts, or without; the caller stops the iteration."""
    number, response, built = 1, None, 0.0
    mixer: Anderson | None = None
    before, best, steady, wait, rest = np.inf, np.inf, 0, 0, RELAXED
    assert consistency.pairing is not None
    turning = Turning(consistency.pairing.weight)
    while True:
        residual = consistency.residual()
        sweep = consistency.measure(number, residual, consistency.potential_step())
        yield sweep
        number += 1
        if consistency.grows(residual):
            consistency.move(grown(consistency), inner_accuracy(sweep.residual, tolerance))
            mixer, before, steady = None, np.inf, 0
            continue
        steady = steady + 1 if sweep.residual < LOWERED * before else 0
        before, wait = sweep.residual, max(wait - 1, 0)
        if mixer is not None and sweep.residual > MISLED * best:
            mixer, wait, rest, steady = None, rest, 2 * rest, 0
        elif accelerated and mixer is None and not wait and steady >= STEADY and sweep.residual < SMALL:
            mixer, best = Anderson(consistency.weight, MIXING), np.inf
        best = min(best, sweep.residual)
        if sweep.residual < NEAR and sweep.largest:
            if response is None or not built / CHANGED < sweep.largest < built * CHANGED:
                response, built = consistency.gap_response(), sweep.largest
                mixer = Anderson(consistency.weight, MIXING) if mixer is not None else None
            change = -response.apply(consistency.gap, residual)
            change = turning.slowed(consistency.gap, change) if mixer is None else change
        else:
            change = -residual / slope(consistency, SLOPE)
        step = as_real(change)
        fields = consistency.fields + MIXING * step if mixer is None else mixer.propose(consistency.fields, step)
        consistency.move(
            within_trust(consistency, fields, sweep.largest), inner_accuracy(sweep.residual, tolerance)
        )


def is_stable(consistency: SelfConsistency, tolerance: float, *, shrinking: bool) -> bool:
    """Whether the relaxation leads back to a gap that solves its equation; where not, the gap is left on its way.

    It is made smaller if it is to be left `shrinking`, else larger.
    """
    found = consistency.fields
    consistency.move((1 - NUDGE if shrinking else 1 + NUDGE) * found, tolerance)
    distances = [float(np.linalg.norm(consistency.fields - found))]
    for _ in islice(relaxing_sweeps(consistency, tolerance, accelerated=False), WATCHED):
        distances.append(float(np.linalg.norm(consistency.fields - found)))
    if distances[-1] < max(distances[-2], tolerance * float(np.linalg.norm(found))):
        consistency.place(found)
        consistency.settle(ERROR_TOLERANCE)
        return True
    return False


def unconverged(consistency: SelfConsistency, history: list[Iteration], locking: Locking) -> SolveError:
    """The error of an iteration that came to no end."""
    gap = consistency.gap
    turning = gap.conj() * consistency.residual()
    reasons = [
        "several stationary states may exist, or none at this voltage: try `initial` near the one that is looked for "
        "(the result at a smaller voltage), a larger broadening, or more `max_sweeps`"
    ]
    if explained := locking.explained():
        reasons = [explained] if locking.running else [explained, *reasons]
    elif abs(turning.imag).max(initial=0.0) > 10 * abs(turning.real).max(initial=0.0):
        reasons.insert(
            0, "the phase of the gap keeps turning: parts of the condensate may not be locked to each other, and then "
            "there is no stationary state"
        )  # fmt: skip
    residuals = ", ".join(f"{sweep.residual:.1e}" for sweep in history[-8:])
    return SolveError(
        f"the gap out of equilibrium did not converge in {len(history)} sweeps; last residuals: {residuals}. "
        f"{'. '.join(reason[0].upper() + reason[1:] for reason in reasons)}",
        frequency=float("nan"), residuals=tuple(sweep.residual for sweep in history), state=gap,
    )  # fmt: skip
