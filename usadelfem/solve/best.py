"""The best fields of a self-consistent iteration, for those that end without a solution."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..errors import SolveError
from ..numerics.report import Iteration
from .field_problem import SelfConsistency

Real = NDArray[np.float64]

# Sweeps without a residual lower by PROGRESS after which the other method is tried; and where a minimum is wanted, and
# the way to a saddle would be wasted.
STALLED, WASTED, PROGRESS = 30, 10, 0.5
# A gap below this part of the bulk gap is asked whether it has to vanish; if not, it starts anew.
SUSPICIOUS = 1e-3
RESTART_ACCURACY = 1e-8  # of states with the fields of a similar device


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
        if sweep.residual < PROGRESS * self.target:
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
