"""The parameters of a device by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import as_array, shown
from ..device.coefficient import RULES, evaluate
from ..device.device import Device
from ..errors import DeviceError
from ..fem.problem import Problem
from .direction import with_room

Real = NDArray[np.float64]
Name = Any

# Which rule gives the number of components of a rate of change, without its range: a rate of D may be negative.
_SHAPES = {
    "gap": "gap", "exchange": "exchange", "tau_so": "exchange", "tau_sf": "exchange",
    "rate_so": "exchange", "rate_sf": "exchange", "su2": "su2", "A": "A",
    "spin_hall_tensor": "spin_hall_tensor", "magnetization": "exchange",
}  # fmt: skip
REGION = (
    "N0", "D", "gap", "exchange", "tau_so", "tau_sf", "rate_so", "rate_sf", "depairing", "inelastic_rate", "theta",
    "kappa", "spin_hall_tensor", "rashba", "dresselhaus", "su2", "Tc",
)  # fmt: skip
CONTACT = ("phase", "gap", "exchange", "conductance", "mixing", "polarization", "magnetization")
INTERFACE = ("conductance", "mixing", "polarization", "magnetization")
DEVICE = ("A", "B", "temperature")
GAUGE = ("A", "B", "su2", "rashba", "dresselhaus")
SPIN_CHARGE = ("theta", "kappa")
TENSORS = ("tau_so", "tau_sf", "rate_so", "rate_sf")
# The dimension of a rate, where the coefficient is not named in the rules.
_DIMENSIONS = {"rate_so": "energy", "rate_sf": "energy", "B": "field"}


@dataclass(frozen=True)
class Parameter:
    """One name of a parameter: what kind of thing it belongs to, which one, and its coefficient."""

    kind: str
    owner: Name
    coefficient: str

    @property
    def words(self) -> str:
        """For messages."""
        return self.coefficient if self.kind == "device" else f"{self.coefficient} of {self.kind} {self.owner!r}"


def parse(device: Device, name: Name) -> Parameter:
    """The parameter that a name stands for.

    "temperature", "A" and "B" belong to the device, (name, coefficient) to a region, contact or interface, and (kind,
    name, coefficient) says which of them is meant where several have the name.

    Raises
    ------
    DeviceError
        If there is no such parameter.
    """
    if isinstance(name, str) and name in DEVICE:
        return Parameter("device", None, name)
    kinds: dict[str, tuple[Any, tuple[str, ...]]] = {
        "region": (device.conductors, REGION), "contact": (device.contacts, CONTACT),
        "interface": (device.interfaces, INTERFACE),
    }  # fmt: skip
    given = tuple(name) if isinstance(name, tuple | list) else ()
    wanted = given[0] if len(given) == 3 and given[0] in kinds else None
    owner, coefficient = given[-2:] if len(given) in (2, 3) and (len(given) == 2 or wanted) else (None, None)
    found = [
        Parameter(kind, owner, coefficient)
        for kind, (owners, names) in kinds.items()
        if wanted in (None, kind) and coefficient in names and _has(owners, owner)
    ]
    if len(found) == 1:
        return found[0]
    if len(found) > 1:
        kinds_found = " and a ".join(one.kind for one in found)
        raise DeviceError(
            f"{shown(name)} is a parameter of a {kinds_found}: say which, {(found[0].kind, owner, coefficient)!r}"
        )
    raise DeviceError(
        f"no parameter {shown(name)}; allowed are {', '.join(map(repr, DEVICE))}, (region, coefficient) with a region "
        f"of {', '.join(device.conductors)} and a coefficient of {', '.join(REGION)}; (contact, coefficient) with a "
        f"contact of {', '.join(device.contacts) or 'none'} and a coefficient of {', '.join(CONTACT)}; (interface, "
        f"coefficient) with an interface of {', '.join(map(str, device.interfaces)) or 'none'} and a coefficient of "
        f"{', '.join(INTERFACE)}"
    )


def _has(owners: Mapping[Any, Any], owner: Any) -> bool:
    try:
        return owner in owners
    except TypeError:
        return False


def room_for(problem: Problem, parameters: list[Parameter]) -> tuple[Problem, tuple[bool, bool]]:
    """The problem with room for what the parameters change, and which columns it has for them."""
    gauge = any(one.coefficient in GAUGE for one in parameters)
    spin_charge = any(one.coefficient in SPIN_CHARGE for one in parameters)
    return with_room(problem, gauge=gauge, spin_charge=spin_charge), (gauge, spin_charge)


def evaluated(
    parameter: Parameter, rate: Any, x: Real, interpolate: Callable[[NDArray[Any]], NDArray[Any]] | None = None
) -> NDArray[Any]:  # fmt: skip
    """Values of a rate at points; of either sign, unlike those of its coefficient.

    Raises
    ------
    DeviceError
        If they have another shape than those of the coefficient, or are not finite.
    """
    name = parameter.coefficient
    rule = _SHAPES.get(name, "theta")
    if name in TENSORS and not callable(rate) and np.ndim(rate) == 0:
        rate = np.full(3, rate, float)
    if not callable(rate) and as_array(rate) is None:
        raise DeviceError(f"the rate of {parameter.words} is {shown(rate)}; allowed is {RULES[rule].describe()}")
    values = np.asarray(evaluate(rule, rate, x, f"the rate of {parameter.words}", interpolate))
    if not np.isfinite(values).all():
        raise DeviceError(f"the rate of {parameter.words} is not finite; allowed is {RULES[rule].describe()}")
    return values


def numbers_of(parameter: Parameter, rate: Any) -> Any:
    """A rate that is the same everywhere, one number or several; DeviceError if it is none."""
    array = as_array(rate)
    if array is None or array.dtype.kind not in "iuf" or not np.isfinite(array).all():
        raise DeviceError(f"the rate of {parameter.words} is {shown(rate)}; allowed are finite numbers")
    return array


def number_of(parameter: Parameter, rate: Any) -> float:
    """A rate that is one number; DeviceError if it is none."""
    array = as_array(rate)
    if array is None or array.ndim or array.dtype.kind not in "iuf" or not np.isfinite(array):
        raise DeviceError(f"the rate of {parameter.words} is {shown(rate)}; allowed is a finite number")
    return float(array)


def natural_rate(device: Device, parameter: Parameter, rate: Any) -> Any:
    """A rate as a natural number, from that in the units of the device.

    Raises
    ------
    DeviceError
        If a quantity is of another dimension.
    """
    name = parameter.coefficient
    dimension = _DIMENSIONS.get(name) or RULES[name].dimension
    return device.units.into(dimension, rate, f"the rate of {parameter.words}")
