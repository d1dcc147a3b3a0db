"""A device with a current in place of a phase: the phase is found at which it flows."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from ..derivatives.derivative import derivative
from ..device.coefficient import uniform
from ..device.contact import Reservoir, current_biased
from ..device.device import Device
from ..device.later import answers
from ..errors import DeviceError, SolveError
from ..fields.field import Field
from ..fields.traced import keeps_results
from ..numerics.ascent import Level, ascend_to
from ..observe.currents import charge_current
from ..solve.arguments import natural_device
from ..solve.equilibrium import solve_equilibrium
from ..solve.results import Equilibrium

REACH, REACH_FOLLOWED = np.pi / 2, np.pi / 4  # steps of the phase, of given and of self-consistent gaps, radians
FARTHEST = 40 * np.pi  # from where the search starts
PRECISION = 1e-9  # of the current
OF_TOLERANCE = 10  # of a self-consistent gap, which the current is known to
TOLERANCE, MOST_SWEEPS = 1e-8, 500  # of a self-consistent gap by default, as in solve_equilibrium
GAP_CHANGE = 0.8  # of the gap, over its largest value, that is another branch
PATIENCE = 100  # sweeps; where the branch goes on, each step takes some twenty


def biased_contact(device: Device) -> str:
    """The reservoir of a device that has a current; there is one.

    Raises
    ------
    DeviceError
        If there are more, or no other reservoir holds a phase.
    """
    names = current_biased(device.contacts)
    if len(names) > 1:
        raise DeviceError(
            f"the contacts {', '.join(map(repr, names))} all have a current, and one may: give the others phases, and "
            "find those of their currents with scipy.optimize.root around solve_equilibrium"
        )
    (name,) = names
    others = [own for key, own in device.contacts.items() if key != name and isinstance(own, Reservoir)]
    gaps = [own.gap for own in others] + [metal.gap for metal in device.conductors.values() if metal.gap is not None]
    if all(uniform(gap) == 0 for gap in gaps if gap is not None) and None not in [own.gap for own in others]:
        raise DeviceError(
            f"contact {name!r} has a current and is the only superconducting reservoir: the current has nowhere to go, "
            "and its phase can be chosen freely. Give another reservoir a gap, or leave out current=..."
        )
    return name


def phase_of(device: Device, contact: str) -> float:
    """The phase of a reservoir that has a current, or whose phase was found for one."""
    own = device.contacts[contact]
    phase = uniform(own.phase) if isinstance(own, Reservoir) else None
    assert phase is not None
    return phase.real


@answers("current_bias")
def solve_at_current(device: Device, temperature: float | None, options: Mapping[str, Any]) -> Equilibrium:
    """The equilibrium of a device one of whose reservoirs has a current, as `solve_equilibrium` returns it."""
    if options.get("linearized"):
        raise ValueError(
            "linearized=True knows the current to second order in the pair amplitudes, where it is sinusoidal: solve "
            "at phase pi/2 for its amplitude, device.with_phase(...), or leave out linearized"
        )
    if keeps_results():
        raise DeviceError(
            "a fit needs derivatives at held currents, and those of a solution that was found for a current are at its "
            "held phase: fit currents at given phases, or critical_current(..., differentiable=True)"
        )
    device = natural_device(device)
    search = _Search(device, biased_contact(device), temperature, dict(options))
    return search.find()


@dataclass(eq=False)
class _Search:
    """The search for the phase of a current.

    Attributes
    ----------
    device, contact
        The device, and its reservoir that has a current.
    temperature, options
        Of the solves.
    last
        The last solution.
    way
        Phases on the way there, each further from the first, and their solutions without states.
    best
        The solution with the largest current that rises with the phase, and that current.
    """

    device: Device
    contact: str
    temperature: float | None
    options: dict[str, Any]
    last: Equilibrium | None = None
    way: list[tuple[float, Equilibrium]] = field(default_factory=list)
    best: tuple[float, Equilibrium] | None = None

    @property
    def follows(self) -> bool:
        """Whether the solution at a phase depends on where it came from."""
        found = any(metal.self_consistent for metal in self.device.conductors.values())
        return found or bool(self.options.get("screening"))

    def find(self) -> Equilibrium:
        """The solution at the current.

        Raises
        ------
        SolveError
            If there is none on the branch of the start.
        """
        own, follows = self.device.contacts[self.contact], self.follows
        assert isinstance(own, Reservoir)
        assert own.current is not None
        target = float(own.current)
        tolerance = OF_TOLERANCE * float(self.options.get("tolerance", TOLERANCE)) if follows else 0.0
        found = ascend_to(
            partial(self.current_and_slope, np.sign(target)), phase_of(self.device, self.contact), target,
            reach=REACH_FOLLOWED if follows else REACH, farthest=FARTHEST, precision=max(PRECISION, tolerance),
        )  # fmt: skip
        assert self.last is not None
        if not found.found:
            raise self._unreachable(target, found, self.last)
        return self.last

    def current_and_slope(self, sign: float, phase: float) -> tuple[float, float] | None:
        """The current at a phase, in natural numbers, and its exact derivative; None where the branch is left."""
        eq = self._solved(phase)
        if eq is None:
            return None
        try:
            tangent = derivative(eq, {("contact", self.contact, "phase"): 1.0})
        except SolveError:
            return None
        value, slope = (_natural(charge_current(one), self.contact) for one in (eq, tangent))
        self.last = eq
        self.way.append((phase, replace(eq, riccati=np.empty((0, 0, 4), complex)) if self.follows else eq))
        if slope > 0 and (self.best is None or sign * value > sign * self.best[0]):
            self.best = value, eq
        return value, slope

    def _solved(self, phase: float) -> Equilibrium | None:
        """The solution at a phase, from the last one on the way there where the gap is to be found."""
        device, options = self.device.with_phase(self.contact, float(phase)), dict(self.options)
        if not self.way:
            return solve_equilibrium(device, self.temperature, **options)
        options.pop("initial", None)
        if not self.follows:
            return solve_equilibrium(device, self.temperature, **options)
        first = self.way[0][0]
        # What was solved further out may lie on another branch.
        self.way = [one for one in self.way if one[0] == first or abs(one[0] - first) < abs(phase - first)]
        old = self.way[-1][1]
        most = min(int(options.get("max_sweeps", MOST_SWEEPS)), max(PATIENCE, 4 * len(old.sweeps)))
        with warnings.catch_warnings():
            # That windings changed is seen below.
            warnings.filterwarnings("ignore", message=".*winding.*", category=UserWarning)
            try:
                new = solve_equilibrium(device, self.temperature, **{**options, "initial": old, "max_sweeps": most})
            except SolveError:
                return None
        size = abs(old.problem.gap).max()
        return None if abs(new.problem.gap - old.problem.gap).max() > GAP_CHANGE * size else new

    def _unreachable(self, target: float, found: Level, last: Equilibrium) -> SolveError:
        scale = charge_current(last).scale
        assert scale is not None
        factor, unit = scale.integrated(last.problem.space.dim - 1)
        wanted = f"the current {target * factor:.6g} [{unit}] through {self.contact!r}"
        if self.best is None:
            reason = f"{wanted} was not found: from phase {self.way[0][0]:.4g} on the current rises nowhere"
        else:
            reason = f"{wanted} is beyond the largest one of its branch, {found.value * factor:.6g} at phase "
            reason += f"{found.place:.6g}" + (", next to which no more solutions were found" if found.ended else "")
        error = SolveError(
            f"{reason}. Try: a smaller current; another start, Reservoir(current=..., phase=...), where there are "
            "several branches; uf.critical_current for the critical one, uf.branch for the unstable side",
            frequency=float("nan"), residuals=(), state=None,
        )  # fmt: skip
        error.best = None if self.best is None else self.best[1]
        return error


def _natural(field: Field, contact: str) -> float:
    """A flux through a contact in natural numbers."""
    assert field.scale is not None
    return float(field.through(contact)) / field.scale.over_surfaces
