"""The current through a contact as the parameter of a branch, which is followed in the gap and in the phase there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from ..checks import as_number
from ..derivatives.derivative import context_of, direction_of
from ..derivatives.direction import Direction, in_common_sector
from ..derivatives.linearization import linearized
from ..derivatives.parameters import parse, room_for
from ..derivatives.tangent import Tangent, solve_tangent
from ..device.contact import Reservoir
from ..device.device import Device
from ..errors import DeviceError, ObservableError
from ..fem.gap_equation import Pairing
from ..observe.currents import charge_current
from ..physics import columns as column
from ..solve.field_problem import as_gap
from ..solve.results import Equilibrium
from .continuation import Equations, Level, Solution
from .current_bias import biased_contact
from .family import Family

SAME = 1e-9  # relative difference of numbers that are the same


@dataclass(frozen=True, eq=False)
class CurrentLevel:
    """The current of solutions at given phases of a contact, and how it changes along their branch.

    Attributes
    ----------
    contact, start
        The reservoir, and the device with the first current.
    family
        The devices, over its phase.
    width
        The unit of the level, in the unit of currents.
    """

    contact: str
    start: Device
    family: Family
    width: float

    def read(self, at: Solution) -> Level:
        """The current at a solution, and its exact change with the arclength, gap and phase moving along the tangent.

        A direction in which the tilted energy Omega - I phi/2 falls is one of the gap at a given phase, or that of the
        phase where dI/dphi < 0: together the negative eigenvalues of the second variation in both.
        """
        found = self.family.result(at.value, at.here)
        eq = replace(found, riccati=at.states, pairing=None, sweeps=())  # a gap that is moved, and does not follow
        value = float(charge_current(eq).through(self.contact))
        change = float(charge_current(self._along(eq, at, found.pairing)).through(self.contact))
        return Level(value / self.width, change / self.width, falling=change * at.tangent.value < 0)

    def _along(self, eq: Equilibrium, at: Solution, pairing: Pairing | None) -> Tangent:
        name = ("contact", self.contact, "phase")
        parameter, phase = parse(eq.device, name), at.tangent.value * self.family.scale
        problem, key = room_for(eq.problem, [parameter])
        assert pairing is not None
        gap = as_gap(Equations(at.here).fields(at.tangent.vector), pairing)
        table, chosen = np.zeros_like(problem.coefficients.table), pairing.chosen
        table[chosen, :, column.GAP_RE], table[chosen, :, column.GAP_IM] = gap.real, gap.imag
        direction = Direction(table=table) + direction_of(context_of(eq, problem), parameter, phase)
        linear = linearized(eq, in_common_sector(problem, direction), key)
        change = solve_tangent(linear, direction)
        return Tangent(eq, {name: phase}, linear.problem, direction, change.direction, change.states, change.dofs)


def over_current(family: Family, ends: tuple[float, float]) -> CurrentLevel:
    """The branch over the current that a family of devices feeds into one of its contacts.

    Raises
    ------
    DeviceError
        If the parameter is not the current of one contact.
    ObservableError
        If nothing is self-consistent.
    ValueError
        If there is screening.
    """
    if family.options.get("screening"):
        raise ValueError(
            "a branch over the current of a contact does not follow the magnetic field: screening is not allowed. "
            "Follow it over the phase, device.with_phase(...), with observable=current"
        )
    devices = [family.function(end) for end in ends]
    contact = biased_contact(devices[0])
    for device, end in zip(devices, ends, strict=True):
        own = device.contacts[contact]
        value = as_number(own.current) if isinstance(own, Reservoir) else None
        if family.thermal or value is None or abs(value - end) > SAME * max(map(abs, ends)):
            raise DeviceError(
                f"contact {contact!r} has a current, {value:.6g} where the parameter is {end:.6g}: of a device with a "
                "current the parameter of a branch is that current. Over another parameter, find the phase at each "
                "value, uf.sweep of solve_equilibrium, or give a phase in place of the current"
            )
    if not any(metal.self_consistent for metal in devices[0].conductors.values()):
        raise ObservableError(
            "with given gaps there is one solution at each phase, and uf.current_phase has both sides of the largest "
            "current; or follow a branch over the phase, device.with_phase(...), with observable=current"
        )
    turned = partial(devices[0].with_phase, contact)
    phases = replace(family, function=turned, low=-np.pi, high=np.pi)
    return CurrentLevel(contact, devices[0], phases, abs(ends[1] - ends[0]))
