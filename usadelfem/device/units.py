"""Units at the door: laboratory numbers and quantities become natural ones on the way in, and back on the way out.

Inside of the package hbar = k_B = e = 1, energies and lengths are in two units, and everything else is in powers of
these. A `Units` says in which unit a number of each dimension is that has none; pint knows the units.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..checks import named_fields, shown
from ..errors import DeviceError
from ..frozen import FrozenMapping, FrozenRecord
from .quantities import as_label, has_quantities, is_quantity, plain, quantity, raised, registry, si_value, substituted

# Dimension -> what it is made of, with hbar, e and k_B, and its unit in the laboratory.
DIMENSIONS: dict[str, tuple[str, str]] = {
    "1": ("1", "1"),
    "energy": ("energy", "meV"),
    "length": ("length", "nm"),
    "area": ("length^2", "nm^2"),
    "inverse_length": ("1/length", "1/nm"),
    "temperature": ("energy/k_B", "K"),
    "time": ("hbar/energy", "ps"),
    "diffusion": ("energy*length^2/hbar", "cm^2/s"),
    "density_of_states": ("1/energy/length^3", "1/(eV*nm^3)"),
    "voltage": ("energy/e", "mV"),
    "field": ("hbar/e/length^2", "T"),
    "vector_potential": ("hbar/e/length", "T*nm"),
    "interface": ("e^2/hbar/length^2", "S/um^2"),
    "current": ("e*energy/hbar", "A"),
    "resistance": ("hbar/e^2", "ohm"),
    "conductance": ("e^2/hbar", "S"),
    "power": ("energy^2/hbar", "W"),
    "inductance": ("hbar^2/e^2/energy", "pH"),
    "flux": ("hbar/e", "Wb"),
}
# What densities are given in, of the units above, the first that fits.
COMPOSED = (
    *(f"{{{name}}}" for name in DIMENSIONS if name != "1"),
    "{current}/{length}^2", "{current}/{length}", "{current}/{length}^3", "{current}*{length}^2",
    "{current}*{length}^3", "{current}*{length}", "{power}/{length}^2", "{power}/{length}", "{energy}/{length}^3",
    "{energy}/{length}^2", "{energy}/{length}", "{resistance}*{length}", "{resistance}*{length}^2",
    "{conductance}/{length}", "{conductance}/{length}^2", "1/{length}^3", "1/{length}^2",
    "{density_of_states}*{length}", "{density_of_states}*{length}^2", "{density_of_states}*{length}^3",
)  # fmt: skip


@named_fields
@dataclass(frozen=True)
class Units(FrozenRecord):
    """The units of numbers that a script gives and gets.

    Attributes
    ----------
    choice
        Dimension -> unit; empty for natural units.
    inside
        Whether a device of these units holds natural numbers already, in powers of its units of energy and length.
    """

    choice: Mapping[str, str] = field(default_factory=dict)
    inside: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "choice", FrozenMapping(dict(self.choice)))

    def __getstate__(self) -> dict[str, Any]:
        return {"choice": self.choice, "inside": self.inside}

    def __hash__(self) -> int:
        return hash((self._items, self.inside))

    def __getattr__(self, name: str) -> Any:
        """A unit by name: 5 * u.nm is a length, whatever the units of numbers are."""
        if name.startswith("_") or name in ("choice", "inside"):
            raise AttributeError(name)
        units = registry()
        if name not in units:  # also with a prefix
            raise AttributeError(f"no unit {name!r}; pint's names and prefixes are known, such as nm, ueV, mK, uA")
        return units.Unit(name)

    def __repr__(self) -> str:
        own = ", ".join(f"{name}={unit!r}" for name, unit in self.choice.items() if name != "1")
        return f"Units({own or 'natural: hbar = k_B = e = 1'})"

    def quantity(self, value: Any, unit: str) -> Any:
        """A number or an array with a unit, a pint quantity; also of composed units, "uohm*cm"."""
        return quantity(value, unit)

    def __enter__(self) -> Units:
        _Active.before.append(vars(self).pop("_before", _Active.units))
        _Active.units = self
        return self

    def __exit__(self, *_: object) -> None:
        _Active.units = _Active.before.pop()

    @property
    def is_natural(self) -> bool:
        """Whether numbers have no units."""
        return not self.choice

    @property
    def within(self) -> Units:
        """The units of a device that holds natural numbers."""
        return replace(self, inside=bool(self.choice))

    def label(self, dimension: str) -> str:
        """The unit of a dimension as it is written in tables and pictures; of natural units what it is made of."""
        return DIMENSIONS[dimension][0] if self.is_natural else as_label(self.choice[dimension])

    def _si(self, expression: str) -> Any:
        return si_value(expression, self.choice["energy"], self.choice["length"])

    def factor(self, dimension: str) -> float:
        """The natural number of one unit of a dimension."""
        if self.is_natural or dimension in ("1", "energy", "length", "area", "inverse_length"):
            return 1.0
        return _factor(DIMENSIONS[dimension][0], self.choice[dimension], self.choice["energy"], self.choice["length"])

    def into(self, dimension: str, value: Any, name: str) -> Any:
        """The natural number of what a user gave: a number in the unit of its dimension, a quantity, or a function.

        Raises
        ------
        DeviceError
            If a quantity is of another dimension, or there is one although numbers are natural.
        """
        if value is None or isinstance(value, str):
            return value
        if callable(value):
            return value if self.is_natural else Scaled(value, dimension, self, name)
        if has_quantities(value):
            value = self._plain(dimension, value, name)
        factor = self.factor(dimension)
        if factor == 1.0:
            return value
        return factor * np.asarray(value) if isinstance(value, list | tuple | np.ndarray) else factor * value

    def _plain(self, dimension: str, value: Any, name: str) -> Any:
        """The number of a quantity in the unit of its dimension."""
        if isinstance(value, list | tuple):
            return np.array([self._plain(dimension, one, name) if is_quantity(one) else one for one in value])
        if self.is_natural:
            raise DeviceError(
                f"{name} is {shown(value)}, a quantity with a unit, but numbers are in natural units here: call "
                "u = uf.lab() before the device is made, or give numbers"
            )
        unit = raised(self.choice[dimension])
        try:
            return value.to("" if dimension == "1" else unit).magnitude
        except Exception as error:  # pint's DimensionalityError or OffsetUnitCalculusError, of any registry
            raise DeviceError(
                f"{name} is {shown(value)}; allowed is a quantity that can be converted to {self.label(dimension)}"
            ) from error

    def out(self, dimension: str, value: Any) -> Any:
        """A natural number in the unit of its dimension."""
        factor = self.factor(dimension)
        return value if factor == 1.0 else value / factor

    def magnetic_constant(self) -> float:
        """mu0 in natural numbers, for curl curl A = mu0 j with A times e/hbar and j in e energy/(hbar length^2)."""
        unit = self._si("hbar^2/e^2/energy/length")
        return float((registry().Quantity(1.0, "vacuum_permeability") / unit).to("").magnitude)

    def express(self, expression: str) -> tuple[float, str]:
        """Factor and label that turn a natural number of a unit, such as "e*N0*D*energy/length", into this system's."""
        return (1.0, plain(expression)) if self.is_natural else _expressed(expression, self._items)

    def whole(self, expression: str) -> tuple[float, str] | None:
        """The same of what is one of `DIMENSIONS` or a density of it; None of anything else."""
        return (1.0, plain(expression)) if self.is_natural else _composed(expression, self._items)

    @cached_property
    def _items(self) -> tuple[tuple[str, str], ...]:
        return tuple(sorted(self.choice.items()))

    def fits(self, expression: str, unit: str) -> bool:
        """Whether a natural number of a unit can be converted to another one."""
        try:
            one = registry().Quantity(1.0, raised(unit))
            return not self.is_natural and bool(one.dimensionality == self._si(expression).dimensionality)
        except Exception:  # pint's UndefinedUnitError or a parser's error: convert says it
            return False

    def convert(self, expression: str, unit: str) -> float:
        """Factor that turns a natural number of a unit into another one.

        Raises
        ------
        DeviceError
            If numbers have no units, or the unit is unknown or of another dimension.
        """
        if self.is_natural:
            raise DeviceError(
                f"cannot convert to {unit!r}: the device is in natural units; call u = uf.lab() before it is made"
            )
        si = self._si(expression)
        try:
            return float((si / registry().Quantity(1.0, raised(unit))).to("").magnitude)
        except Exception as error:  # pint's UndefinedUnitError or DimensionalityError
            label = self.express(expression)[1]
            raise DeviceError(f"cannot convert {label} to {unit!r}: {error}") from error


SPIN = "hbar/2*"
# What a unit that is none of these is made of.
OWN = {"energy": "energy", "length": "length", "D": "diffusion", "N0": "density_of_states"}


@lru_cache(maxsize=1000)
def _factor(expression: str, unit: str, energy: str, length: str) -> float:
    """The natural number of a unit, which functions of position ask for at every call."""
    return float((registry().Quantity(1.0, raised(unit)) / si_value(expression, energy, length)).to("").magnitude)


@lru_cache(maxsize=1000)
def _composed(expression: str, items: tuple[tuple[str, str], ...]) -> tuple[float, str] | None:
    if expression.startswith(SPIN):  # spins are counted in this
        found = _composed(expression.removeprefix(SPIN), items)
        if found is None:
            return None
        label = found[1]
        return found[0], "hbar/2" + label.removeprefix("1") if label.startswith("1") else f"hbar/2*{label}"
    choice = dict(items)
    si = si_value(expression, choice["energy"], choice["length"])
    if si.dimensionless:
        return float(si.magnitude), "1"
    for pattern in COMPOSED:
        unit = pattern.format(**{name: f"({own})" for name, own in choice.items()})
        one = registry().Quantity(1.0, raised(unit))
        if one.dimensionality == si.dimensionality:
            return float((si / one).to("").magnitude), as_label(unit)
    return None


@lru_cache(maxsize=1000)
def _expressed(expression: str, items: tuple[tuple[str, str], ...]) -> tuple[float, str]:
    if expression in ("1", "N0"):  # a density of states is one in units of the normal metal's
        return 1.0, expression
    found = _composed(expression, items)
    if found is not None:
        return found
    choice = dict(items)
    unit = substituted(expression, {name: choice[OWN[name]] for name in OWN})
    one = registry().Quantity(1.0, unit)
    return float((si_value(expression, choice["energy"], choice["length"]) / one).to("").magnitude), as_label(unit)


@dataclass(frozen=True)
class Scaled:
    """A function of position whose values are in laboratory units, with natural ones."""

    function: Callable[[NDArray[np.float64]], Any]
    dimension: str
    units: Units
    name: str

    def __call__(self, x: NDArray[np.float64]) -> Any:
        """Values at positions."""
        return self.units.into(self.dimension, self.function(x), self.name)

    def __getattr__(self, name: str) -> Any:
        if name != "in_plane":
            raise AttributeError(name)
        told = self.function.in_plane  # type: ignore[attr-defined]
        return lambda plane: self._with(told(plane))

    def _with(self, function: Any) -> Scaled:
        return self if function is self.function else replace(self, function=function)


NATURAL = Units()


class _Active:
    """The units that numbers are in now, of devices that are made now."""

    units = NATURAL
    before: list[Units] = []  # noqa: RUF012


def active_units() -> Units:
    """The units that numbers are in now."""
    return _Active.units


def use_units(units: Units) -> None:
    """Let numbers be in these units from now on; as a context, until its end."""
    vars(units)["_before"] = _Active.units
    _Active.units = units
