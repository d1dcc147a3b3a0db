"""What a device is connected to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any

import numpy as np

from ..checks import as_number, named, named_fields, shown
from ..errors import DeviceError, warn
from ..frozen import FrozenRecord
from .coefficient import RULES, check_coefficient, check_one_temperature, describe, frozen_value, uniform
from .interface import Interface
from .material import Coefficient
from .quantities import magnitude

# Multiples of these from DEGREES radians on are taken for degrees.
DEGREES, ROUND = 20, (5, 7.5)


class Floating(Enum):
    """What a voltage is that is not given."""

    FLOATING = "FLOATING"

    def __repr__(self) -> str:
        return self.name


FLOATING = Floating.FLOATING
"""The voltage of a reservoir into which no charge flows."""


@named_fields
@dataclass(frozen=True, eq=False, repr=False)
class Reservoir(FrozenRecord):
    """A bulk electrode with given Green's function and occupation, which a contact has too where there is no barrier.

    The spectrum imposed is that of a homogeneous superconductor, a = i gap exp(i phase)/(W + sqrt(W^2 + |gap|^2)) with
    W = w - i exchange.sigma. A normal reservoir has gap 0. An equilibrium has no voltage and no spin bias; they drive
    the normal state (`solve_normal_state`) and non-equilibrium (`solve_nonequilibrium`), where the distribution of a
    reservoir is tanh((E - voltage tau3 - spin_bias.sigma)/2 temperature).

    Attributes
    ----------
    gap
        Order parameter, energy; a number, complex if its argument is to be added to `phase`, or a callable f(x). None:
        the bulk gap (`bcs_gap`) at the temperature of the solve of the superconductor that the contact touches, or its
        given gap.
    phase
        Superconducting phase in radians; a number or a callable f(x). With `current` a number: where the search for
        the phase starts.
    exchange
        Exchange field (hx, hy, hz) inside the reservoir, energy.
    barrier
        What separates the reservoir from the device: None or Transparent() for a transparent contact, else a Tunnel,
        SpinActive or Nazarov barrier, across which g jumps.
    voltage
        Electrochemical potential e V, energy; a number or a callable f(x). FLOATING: the one at which no charge flows
        through the contact (`solve_nonequilibrium`).
    temperature
        Temperature of the electrode; None: that of the solve. In an equilibrium all are the same, and charge and spin
        in the normal state do not depend on it.
    spin_bias
        Spin accumulation (sx, sy, sz), energy: the potentials of spin up and down along an axis are `voltage` plus and
        minus the component along it.
    current
        Total charge current out of the device into a superconducting reservoir, counted and in the unit as
        `charge_current(eq).through(contact)`: `solve_equilibrium` finds the phase at which it flows, and
        `eq.device.contacts[contact].phase` is that phase. None: the phase is given. One reservoir of a device may have
        a current, and another superconducting one has to hold a phase.

    Raises
    ------
    DeviceError
        If a value is not finite or of the wrong shape, or a normal reservoir has a current.
    """

    gap: Coefficient | None = None
    phase: Coefficient = 0.0
    exchange: Coefficient = (0.0, 0.0, 0.0)
    barrier: Interface | None = None
    voltage: Coefficient | Floating = 0.0
    temperature: float | None = None
    spin_bias: Coefficient = (0.0, 0.0, 0.0)
    current: float | None = None

    def __post_init__(self) -> None:
        for field in fields(self):
            if field.name not in ("barrier", "current") and getattr(self, field.name) is not FLOATING:
                check_coefficient(field.name, getattr(self, field.name), "reservoir")
                object.__setattr__(self, field.name, frozen_value(getattr(self, field.name)))
        if any(entry.name != "voltage" and getattr(self, entry.name) is FLOATING for entry in fields(self)):
            raise DeviceError("reservoir: only its voltage may be FLOATING")
        check_one_temperature(self.temperature, "reservoir")
        self._check_current()
        _warn_of_degrees(self.phase)
        if self.barrier is not None and not isinstance(self.barrier, Interface):
            raise DeviceError(
                f"reservoir: barrier is {shown(self.barrier)}; allowed are Tunnel, SpinActive, Nazarov, Transparent "
                "and None"
            )

    def _check_current(self) -> None:
        if self.current is None:
            return
        if as_number(magnitude(self.current)) is None:
            raise DeviceError(f"reservoir: current is {shown(self.current)}; allowed is the total, one number, or None")
        check_coefficient("current", self.current, "reservoir")
        if uniform(self.phase) is None:
            raise DeviceError(
                f"reservoir: with a current the phase is where the search for it starts, one number; given is "
                f"{shown(self.phase)}"
            )
        if uniform(self.gap) == 0:
            raise DeviceError(
                "reservoir: a current is that of a superconducting reservoir, whose phase is found; a normal one "
                "(gap=0) has a voltage, and in the normal state CurrentContact(current=...) feeds a current"
            )

    @property
    def is_rigid(self) -> bool:
        """Whether g is fixed on the contact, which has no barrier."""
        return self.barrier is None or self.barrier.is_transparent

    def __repr__(self) -> str:
        return _show(self)


@named()
def NormalContact(*, potential: Coefficient = 0.0, spin: Coefficient = (0.0, 0.0, 0.0)) -> Reservoir:
    """A normal electrode with a potential and a spin accumulation: Reservoir(gap=0, voltage=..., spin_bias=...).

    Parameters
    ----------
    potential
        Electrochemical potential e V, energy; a number or a callable f(x).
    spin
        Spin accumulation (sx, sy, sz) of the electrode, energy.

    Raises
    ------
    DeviceError
        If a value is not finite or of the wrong shape.
    """
    for name, value in (("potential", potential), ("spin", spin)):
        check_coefficient(name, value, "normal contact")
    return Reservoir(gap=0.0, voltage=potential, spin_bias=spin)


@named_fields
@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class CurrentContact(FrozenRecord):
    """A contact that feeds a given current into the normal-state problem, uniformly over its area.

    With the default values nothing flows: a voltage probe.

    Attributes
    ----------
    current
        Total charge current into the device, e N0 D energy x length^(dim - 2).
    spin_current
        Total spin current into the device for the spin axes x, y, z; spin in units of hbar.

    Raises
    ------
    DeviceError
        If a value is not a finite number, or of the wrong shape.
    """

    current: float = 0.0
    spin_current: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            rule = RULES[field.name]
            if not callable(value):
                check_coefficient(field.name, value, "current contact")
            if callable(value) or np.ndim(value) > len(rule.shape):
                raise DeviceError(
                    f"current contact: {field.name} is {shown(value)}; allowed is the total, {rule.describe()}"
                )
            object.__setattr__(self, field.name, frozen_value(value))

    def __repr__(self) -> str:
        return _show(self)


def _warn_of_degrees(phase: Coefficient) -> None:
    """A phase of many turns is more often one in degrees."""
    value = as_number(phase)
    if value is None or abs(value) < DEGREES or all(value % step for step in ROUND):
        return
    warn(
        f"reservoir: phase is {value:g}, which in radians is {value / (2 * np.pi):.3g} turns. If degrees are meant, "
        f"give np.deg2rad({value:g}); else leave out whole turns, {np.angle(np.exp(1j * value)):.6g} is the same phase"
    )


Contact = Reservoir | CurrentContact


def current_biased(contacts: Mapping[str, Contact]) -> list[str]:
    """The names of the reservoirs that have a current in place of a phase."""
    return [name for name, own in contacts.items() if isinstance(own, Reservoir) and own.current is not None]


def _show(contact: Contact) -> str:
    """Without what only few contacts have."""
    common = ("gap", "phase", "exchange") if isinstance(contact, Reservoir) else ("current", "spin_current")
    given = [
        field.name for field in fields(contact)
        if field.name in common or not _same(getattr(contact, field.name), field.default)
    ]  # fmt: skip
    values = (f"{name}={describe(getattr(contact, name))}" for name in given)
    return f"{type(contact).__name__}({', '.join(values)})"


def _same(value: Any, default: Any) -> bool:
    value = magnitude(value)
    return value is default or (not callable(value) and value is not None and np.array_equal(value, default))
