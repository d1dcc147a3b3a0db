"""Where descriptions in a user's units become natural ones: a device, and the numbers that a solve is given with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

import numpy as np

from ..checks import checked_temperature, number, shown
from ..errors import DeviceError
from .coefficient import RULES
from .contact import FLOATING, current_biased
from .material import Material
from .quantities import magnitude
from .units import Units

# Fields of records that are called otherwise in the rules.
OTHER_NAMES = {"rate": "inelastic_rate"}
# What has no meaning of its own in laboratory units: numbers that only a set of natural units makes 1.
NEEDED = ("D", "N0")


def natural_record(record: Any, units: Units, owner: str, total: float = 1.0) -> Any:
    """A material, contact or barrier with natural numbers; those of whole contacts are divided by `total`.

    Raises
    ------
    DeviceError
        If a quantity is of another dimension.
    """
    changed: dict[str, Any] = {}
    for entry in fields(record):
        value = getattr(record, entry.name)
        rule = RULES.get(OTHER_NAMES.get(entry.name, entry.name))
        if is_dataclass(value) and not isinstance(value, type) and not callable(value):
            found = natural_record(value, units, owner)
            if found is not value:
                changed[entry.name] = found
        elif rule is not None and value is not None:
            found = units.into(rule.dimension, value, f"{owner}: {entry.name}")
            if entry.name in ("current", "spin_current"):
                found = np.asarray(found) / total
            if found is not value:
                changed[entry.name] = found
    return replace(record, **changed) if changed else record


def natural_records(records: Mapping[Any, Any], units: Units, kind: str, total: float = 1.0) -> dict[Any, Any]:
    """The same of all records by name."""
    return {name: natural_record(own, units, f"{kind} {name!r}", total) for name, own in records.items()}


def check_given(materials: Mapping[str, Any], units: Units) -> None:
    """DeviceError where a material lacks what has no default in laboratory units."""
    if units.is_natural or units.inside:
        return
    defaults = {entry.name: entry.default for entry in fields(Material)}
    metals = {region: own for region, own in materials.items() if isinstance(own, Material)}
    for region, material in metals.items():
        missing = [name for name in NEEDED if getattr(material, name) is defaults[name]]
        if missing:
            allowed = " and ".join(f"{name} in {units.label(RULES[name].dimension)}" for name in missing)
            raise DeviceError(
                f"material of region {region!r}: {' and '.join(missing)} is not given; needed is {allowed}, for which "
                "there is no default in laboratory units. Give it, or take a film of known resistivity: "
                "uf.metals['Cu'].film(resistivity=...)"
            )


def check_extent(dim: int, thickness: Any, area: Any) -> None:
    """DeviceError unless the directions that a mesh does not have are given as they can be."""
    for name, value, wanted in (("thickness", thickness, 2), ("area", area, 1)):
        if value is None:
            continue
        number(name, magnitude(value), above=0, error=DeviceError)
        if dim != wanted:
            raise DeviceError(f"{name} is {shown(value)}: it belongs to meshes of dimension {wanted}, this has {dim}")


def natural_changes(changes: Mapping[str, Mapping[str, Any]], units: Units) -> dict[str, dict[str, Any]]:
    """What changes at contacts, by name, with natural numbers.

    Raises
    ------
    DeviceError
        If a quantity is of another dimension.
    """
    return {
        contact: {
            name: units.into(RULES[name].dimension, value, f"{name} of {contact!r}")
            if name in RULES and value is not FLOATING else value
            for name, value in change.items()
        }
        for contact, change in changes.items()
    }  # fmt: skip


def natural_energies(device: Any, **given: Any) -> tuple[Any, ...]:
    """Energies that a solve is given, as numbers in the unit of its device; anything else as it is.

    Raises
    ------
    DeviceError
        If a quantity is no energy.
    """
    return tuple(device.units.into("energy", value, name) for name, value in given.items())


def natural_temperature(device: Any, temperature: Any) -> float:
    """The temperature of a solve as an energy, that of its device if none is given.

    Raises
    ------
    ValueError
        If there is none, or it is not a positive number.
    """
    own = device.natural.temperature
    if temperature is None and own is None:
        raise ValueError("temperature is None; give the temperature of the solve, or Device(..., temperature=...)")
    given = own if temperature is None else device.units.into("temperature", temperature, "temperature")
    return checked_temperature(given)


def at_first_phase(device: Any) -> Any:
    """The device with given phases in place of currents: for what does not depend on them."""
    for name in current_biased(device.contacts):
        device = device.with_phase(name, device.contacts[name].phase)
    return device


def check_held(device: Any, turned: str) -> None:
    """DeviceError if the phases of other contacts move when that of one is turned."""
    for name in current_biased(device.contacts):
        raise DeviceError(
            f"the phase of {turned!r} is turned, and {name!r} has a current, so that its phase would move too: give it "
            f"one, device.with_phase({name!r}, ...)"
        )
