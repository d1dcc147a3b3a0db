"""Arguments of builders: lengths and materials by keyword."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..checks import number, shown
from ..device.material import Material
from ..device.units import active_units
from ..errors import DeviceError, MeshError


def length(name: str, value: Any) -> float:
    """A positive length, in the units that are in force."""
    value = active_units().into("length", value, name)
    return number(name, value, above=0, error=MeshError, what="length")


def lengths(**values: Any) -> tuple[float, ...]:
    """Positive lengths by name."""
    return tuple(length(name, value) for name, value in values.items())


def optional(name: str, value: Any) -> float | None:
    """A positive length, or None."""
    return None if value is None else length(name, value)


def materials_of(builder: str, given: Mapping[str, Any], *counts: int, example: str) -> list[tuple[str, Material]]:
    """The materials that a builder got by keyword, in the order of the call.

    Raises
    ------
    TypeError
        If there are too many or too few.
    DeviceError
        If one is no Material.
    """
    if len(given) not in counts:
        names = ", ".join(given) or "none"
        wanted = " or ".join(map(str, counts))
        raise TypeError(
            f"{builder}() takes {wanted} material{'' if counts == (1,) else 's'} by keyword, as in {example}; it got: "
            f"{names}"
        )
    for name, material in given.items():
        if not isinstance(material, Material):
            raise DeviceError(f"{builder}(): {name} is {shown(material)}; allowed is a Material, as in {example}")
    return list(given.items())
