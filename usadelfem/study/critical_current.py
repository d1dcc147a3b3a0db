"""Critical currents: the largest and the smallest current over the phase difference."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from ..checks import flag, named, number
from ..device.device import Device
from ..errors import warn
from ..fields.traced import Traced, keeping_results
from ..frozen import FrozenRecord, freeze
from ..numerics.ascent import ascend
from ..numerics.periodic import FINE, evaluate, fourier, highest, peaks
from ..observe.currents import charge_current
from ..parallel.engines import Workers
from ..solve.results import Equilibrium
from .current_phase import SOLVE_OPTIONS, branch_curve, sampled_curve
from .phase_bias import Sampler, phase_bias, said_once
from .phase_branch import STEP, PhaseBranch, advance, follow
from .phase_relation import CurrentPhase, Extreme, wrapped
from .phase_slopes import slope_of, sloped_curve

Real = NDArray[np.float64]

GAP = 1e-2  # tolerance of the gap, of the precision of the current
# Precision of the relation in which the maximum is looked for, of the largest current; the same where slopes are known,
# with which the error is estimated on the safe side.
COARSE, COARSE_SLOPED = 0.1, 0.15
ROUNDS = 12  # solutions next to an extreme, at most
FINEST = 2.0**-30  # of a step: how close to the end of a branch


@dataclass(frozen=True, eq=False, repr=False)
class CriticalCurrent(FrozenRecord):
    """The largest current through a contact over the phase difference; `float(ic)` is its value.

    Signs and units as in `CurrentPhase`.

    Attributes
    ----------
    value, phase
        The largest current, and the phase difference at which it flows, -pi < phase <= pi; on a folded branch the
        phase difference along it.
    error
        Estimate of the error of `value` (and of `negative.value`) by the search over the phase; it does not know of
        mesh and frequencies.
    negative
        The smallest current and its phase difference: (value, phase). -value and -phase where time reversal holds.
    folded
        Whether several solutions exist at a phase difference, as with long self-consistent electrodes: the values are
        those of the branch through phi = 0.
    curve
        The coarse current-phase relation from which the search started.
    equilibrium
        The solution next to the maximum, if it was asked for to differentiate the value.
    phases, currents
        All phase differences that were solved, ascending, and the currents there.
    """

    value: float
    phase: float
    error: float
    negative: Extreme
    folded: bool
    curve: CurrentPhase
    phases: Real
    currents: Real
    equilibrium: Equilibrium | None = None

    def __post_init__(self) -> None:
        freeze(vars(self))

    def __float__(self) -> float:
        return self.value

    @property
    def diode_efficiency(self) -> float:
        """(I+ - abs(I-))/(I+ + abs(I-)) of the largest current I+ and the smallest I-; 0 where no current flows."""
        total = self.value + abs(self.negative.value)
        return (self.value - abs(self.negative.value)) / total if total else 0.0

    def __repr__(self) -> str:
        return (
            f"CriticalCurrent({self.value:.6g} at phase {self.phase:.5g}, error {self.error:.1g}, "
            f"smallest {self.negative.value:.6g} at {self.negative.phase:.5g}, {len(self.phases)} phases solved"
            f"{', one branch of several' if self.folded else ''})"
        )


@named(*SOLVE_OPTIONS)
def critical_current(
    device: Device, contact: str, temperature: float | None = None, *, precision: float = 1e-4,
    differentiable: bool = False, workers: Workers | None = None, progress: bool | None = None, **options: Any,
) -> CriticalCurrent:  # fmt: skip
    """The critical current of a junction: the largest and the smallest current over the phase difference.

    A coarse current-phase relation (`current_phase`; where the current is not odd, from currents and their slopes) is
    interpolated; from where the interpolant is largest Newton's method on dI/dphi, with the exact derivative of the
    solution, finds the maximum. A
    self-consistent gap is followed along its branch from phi = 0, also where the electrodes are so long that the
    relation is folded; a current beyond the end of a branch is never returned.

    Parameters
    ----------
    device
        A device with at least two superconducting reservoirs, the others at given phases.
    contact
        The reservoir whose phase is turned. The phase difference includes what drops in self-consistent electrodes.
    temperature
        Temperature, energy.
    precision
        Relative precision of the value, as far as the phase is concerned.
    differentiable
        Keep the solution at the maximum in the result, so that `sensitivity(ic.value)` gives the derivatives of the
        critical current: those of the current at fixed phase, known as well as the phase of the maximum, to the root of
        the precision. Not of a self-consistent weak link in transparent contact, whose current is taken in the link.
    workers, progress, **options
        As in `current_phase`; `tolerance` is that of a self-consistent gap, by default a hundredth of the precision.

    Returns
    -------
    CriticalCurrent
        Frozen record: `value`, `phase`, `error`, `negative`, `diode_efficiency`, `folded`, `curve`; `float(ic)` is
        the value.

    Raises
    ------
    DeviceError, ValueError, SolveError
        As `current_phase`; ValueError also if the precision is not between 0 and 1.

    Warns
    -----
    UserWarning
        If given gaps create or absorb current, or the precision is not reached.
    """
    precision = number("precision", precision, above=0, below=1)
    flag("differentiable", differentiable)
    options.setdefault("tolerance", float(np.clip(GAP * precision, 1e-8, 1e-6)))
    sampler = Sampler(phase_bias(device, contact, temperature, options), workers, progress)
    with said_once():
        branch = follow(sampler) if sampler.bias.follows else None
        sloped = branch is None and not sampler.bias.symmetric
        curve = sloped_curve(sampler, COARSE_SLOPED) if sloped else sampled_curve(sampler, branch, None, COARSE)
        search = _Search(sampler, curve, branch, precision, differentiable)
        best, error = search.extreme(+1)
        if sampler.bias.symmetric:
            negative = Extreme(0.0 - best.value, 0.0 - best.phase)
        else:
            negative, other = search.extreme(-1)
            error = max(error, other)
    sampler.warn_unbalanced()
    if error > 2 * precision * max(abs(best.value), abs(negative.value)):
        warn(f"critical_current: the value {best.value:.6g} is known to {error:.1g} only, worse than precision")
    phases, kept = np.array(sorted(sampler.known)), search.highest.get(1) if differentiable else None
    return CriticalCurrent(
        value=best.value if kept is None else _remembering(best.value, kept[1], contact),
        equilibrium=None if kept is None else kept[1],
        phase=best.phase, error=error, negative=negative, folded=curve.folded, curve=curve,
        phases=phases, currents=np.array([sampler.known[phase] for phase in phases]),
    )  # fmt: skip


@dataclass(frozen=True)
class _Search:
    """The search for an extreme close to that of a coarse relation."""

    sampler: Sampler
    curve: CurrentPhase
    branch: PhaseBranch | None
    precision: float
    differentiable: bool = False
    highest: dict[int, tuple[float, Equilibrium]] = field(default_factory=dict)

    def extreme(self, sign: int) -> tuple[Extreme, float]:
        """The largest current times `sign`, and its error."""
        if self.curve.folded:
            return self._along_branch(sign)
        grid = self.curve.grid
        values = sign * self.curve.at(grid)
        # Lower peaks may be the highest within the error of the coarse relation.
        tops = peaks(values, 2 * self.curve.error)
        found = [self._refined(sign, float(grid[top])) for top in tops] or [(Extreme(0.0, 0.0), 0.0)]
        return max(found, key=lambda one: sign * one[0].value)

    def _refined(self, sign: int, first: float) -> tuple[Extreme, float]:
        """The extreme of a periodic relation next to a phase, and its error: Newton's method on dI/dphi."""
        cosine, sine = fourier(sign * self.curve.currents)
        step = 2 * np.pi / len(self.curve.phases)
        start, value = highest(partial(evaluate, cosine, sine), np.linspace(first - step, first + step, 4 * FINE + 1))
        if not abs(value) > 0:
            return Extreme(0.0, 0.0), 0.0
        squares = np.arange(len(cosine)) ** 2
        found = ascend(
            partial(self._value_and_slope, sign), start, reach=step, precision=self.precision, rounds=ROUNDS,
            close=self.differentiable, curvature=-float(evaluate(squares * cosine, squares * sine, start)),
        )  # fmt: skip
        return Extreme(sign * found.value, wrapped(found.place, False)), found.error

    def _value_and_slope(self, sign: int, phase: float) -> tuple[float, float]:
        """The current at a phase and its exact derivative, times a sign."""
        mirrored = self.sampler.bias.symmetric and phase < 0
        eq, bias = self.sampler.from_near(-phase if mirrored else phase), self.sampler.bias
        slope = slope_of(bias, eq)
        current = self.sampler.accept(-phase if mirrored else phase, eq)
        value = sign * (-current if mirrored else current)
        if sign not in self.highest or value > self.highest[sign][0]:
            self.highest[sign] = value, eq
        return value, sign * slope

    def _current(self, phase: float) -> float:
        if self.sampler.bias.symmetric and phase < 0:
            return -self.sampler.current(-phase)
        return self.sampler.current(phase)

    def _along_branch(self, sign: int) -> tuple[Extreme, float]:
        """The same on a branch, whose end may lie close to its largest current."""
        error = value = phase = 0.0
        for _ in range(ROUNDS):
            curve = branch_curve(self.sampler)
            phase, value = highest(partial(_signed, curve, sign), curve.grid)
            end = curve.phases[-1 if sign > 0 else 0]
            if abs(end - phase) < 1e-9 * abs(end):
                return self._at_end(sign)
            found = sign * self._current(float(phase))
            error = abs(found - value)
            if error <= self.precision * abs(found):
                value = max(value, found)
                break
        return Extreme(sign * value, phase), error

    def _at_end(self, sign: int) -> tuple[Extreme, float]:
        """The largest current where a branch still rises at its end: the end is approached until no more can come."""
        assert self.branch is not None
        side = 1 if sign > 0 else 0
        here, lost = self.branch.ends[side], self.branch.lost[side]
        if here is None or lost is None:  # it was not followed any further
            value, phase = self.curve.currents[-side], float(self.curve.phases[-side])
            return Extreme(float(value), phase), float(abs(value))
        while True:
            curve = branch_curve(self.sampler)
            slope = float(scipy.interpolate.CubicSpline(curve.phases, curve.currents)(here, 1))
            value, rest = self._current(here), abs(slope * (lost - here))
            if lost in self.sampler.failures:  # which does not mean that there is none
                warn(
                    f"critical_current: the current still grows at phase {here:.5g}, beyond which no solution was "
                    "found: the value is a lower bound. Allow for more max_sweeps=..., or take another method=..."
                )
                return Extreme(value, here), rest
            if rest <= self.precision * abs(value) or abs(lost - here) < FINEST * STEP:
                return Extreme(value, here), rest
            middle = (here + lost) / 2
            left = advance(self.sampler, here, middle, shortest=abs(lost - here))
            here, lost = (middle, lost) if left[0] is None else (here, middle)


def _remembering(value: float, eq: Equilibrium, contact: str) -> float:
    """The critical current with the derivatives of the current at fixed phase: at the maximum they are its own."""
    with keeping_results():
        current: Any = charge_current(eq).through(contact)
    if not isinstance(current, Traced):
        return value
    own: Any = current if value * float(current) >= 0 else -current  # at the opposite phase, where it flows backwards
    shifted: float = own + (value - float(own))
    return shifted


def _signed(curve: CurrentPhase, sign: int, phase: Any) -> Real:
    return sign * curve.at(phase)
