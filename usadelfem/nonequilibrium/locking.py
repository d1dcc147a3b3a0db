"""Whether the condensates of a device are locked to each other: where their phases run, nothing is stationary.

In the relaxation of the gap the phases of two parts that are locked come to rest within one turn. Those of parts at
different voltages turn for ever.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ..fem.gap_equation import Pairing
from ..fem.problem import Problem
from ..points.islands import connected_parts

Real = NDArray[np.float64]
Complex = NDArray[np.complex128]

# Two parts that have turned against each other by more full turns than are between the ends of a chain of parts, and
# this, are not locked. Half a turn is suspicious.
BEYOND, SUSPECT = 0.25, 0.5
# Change of the modulus of a part, as a part of it, after which its turns are counted anew: of a gap on its way to a
# smaller or larger one, or to zero, the phase says nothing yet.
STEADY = 0.25


@dataclass(eq=False)
class Locking:
    """How far parts of a gap have turned, each since its modulus has last changed.

    Attributes
    ----------
    masks
        Which cells of the pairing belong to each part that is free to turn, shape (parts, cells).
    names
        Names of the regions of every such part.
    held
        Whether there are others, whose phase is given.
    weight
        Weights of the points of the pairing.
    turned
        Angle that each part has turned by, radians.
    size, before
        Moduli of the parts since when that is counted, and the gap of the sweep before.
    """

    masks: NDArray[np.bool_]
    names: tuple[str, ...]
    held: bool
    weight: Real
    turned: Real = field(default_factory=lambda: np.empty(0))
    size: Real = field(default_factory=lambda: np.empty(0))
    before: Complex = field(default_factory=lambda: np.empty(0, complex))

    def follow(self, gap: Complex) -> None:
        """Take notice of the gap of one more sweep, shape (cells, points)."""
        size = np.sqrt(self.masks @ (self.weight * abs(gap) ** 2).sum(axis=1))
        if not len(self.before):
            self.turned, self.size, self.before = np.zeros(len(self.masks)), size, gap
        step = np.angle(self.masks @ (self.weight * gap * self.before.conj()).sum(axis=1))
        steady = abs(size - self.size) < STEADY * self.size
        self.turned = np.where(steady, self.turned + step, 0.0)
        self.size, self.before = np.where(steady, self.size, size), gap

    @property
    def turns(self) -> float:
        """Full turns between the two parts that have turned most against each other."""
        if not len(self.turned):
            return 0.0
        ends = [self.turned.max(), self.turned.min(), *([0.0] if self.held else [])]
        return float((max(ends) - min(ends)) / (2 * np.pi))

    @property
    def running(self) -> bool:
        """Whether parts keep turning against each other, each at a voltage of its own."""
        return self.turns > max(1, len(self.masks) + self.held - 1) + BEYOND

    def explained(self) -> str:
        """What to say of phases that run; nothing where there are none."""
        if self.turns < SUSPECT:
            return ""
        first, last = (f"that of region {self.names[n]}" for n in (self.turned.argmin(), self.turned.argmax()))
        if self.held:
            first = f"that of region {self.names[abs(self.turned).argmax()]}"
            last = "those of superconducting reservoirs or given gaps"
        return (
            f"condensates {'are not' if self.running else 'may not be'} locked to each other: {first} and {last} have "
            f"turned by {self.turns:.1f} full turns against each other, as they do at different voltages, and then "
            "there is no stationary state. Connect them by a shorter or better conducting link, hold each by a "
            "superconducting reservoir, or lower the voltage"
        )


def find_locking(problem: Problem, pairing: Pairing) -> Locking:
    """The parts of a gap that are free to turn against each other, or against what is given."""
    own, fixed, held = connected_parts(problem, pairing)
    floating = np.setdiff1d(own, fixed)
    masks: NDArray[np.bool_] = np.equal(own[None, :], floating[:, None])
    regions = problem.space.mesh.subdomains.items()
    names = tuple(
        ", ".join(repr(name) for name, cells in regions if np.isin(pairing.chosen[mask], cells).any()) for mask in masks
    )
    return Locking(masks, names, held, pairing.weight)
